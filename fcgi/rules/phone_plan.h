#ifndef RULES_PHONE_PLAN_H
#define RULES_PHONE_PLAN_H
/*
 * Calling codes outside the North American plan: how long national numbers are and what is dialled
 * before them at home. Lengths cover landlines, mobiles and internet telephony; made once from
 * libphonenumber 8.12.57 (Apache-2.0), whose authors read the national plans filed with the ITU.
 */
#include "base/str.h"

struct phone_plan {
	int code;
	const char *countries;     /* ISO codes between blanks */
	unsigned char least, most; /* digits of a national number without its trunk prefix */
	const char *trunk; /* "0"; "" where there is none, or where it is part of the number */
	const char *sure;  /* mobile ranges that need no second opinion, between blanks; or "" */
	unsigned char sure_length;
};

/** The plan of an ISO country code, NULL for North America and for what is no country. */
const struct phone_plan *phone_plan_of_country(const char *country);
/** The plan whose calling code begins ${digits}, NULL where there is none. */
const struct phone_plan *phone_plan_of_number(struct str digits);
/** US, CA and the other countries and territories behind +1. */
bool phone_plan_is_nanp(const char *country);

#endif
