#ifndef RULES_PHONE_H
#define RULES_PHONE_H
/*
 * Telephone numbers as people write them, to E.164.
 *
 * phone_fast decides alone for the North American plan (country code 1) and for what is wrong
 * everywhere; for other countries it knows calling codes, lengths and trunk prefixes (ITU-T E.164
 * and national plans) and accepts by itself only ranges it is sure of. phone_parse asks
 * libphonenumber about the rest. It is never asked about North American numbers: the data in
 * Debian 12 is of October 2022 and calls newer area codes invalid.
 *
 * Fictitious numbers are accepted and marked: area code 555, and 555-01XX in every area code.
 * Toll-free, premium and service numbers are refused: nobody who can be called lives there.
 * Excel's 1.55501E+10 is refused because digits are lost; 1.5550100002E+10 is complete and read.
 */
#include "base/str.h"

enum phone_verdict {
	PHONE_NO, /* refused, with a reason */
	PHONE_YES,
	PHONE_ASK /* plausible; libphonenumber must say. e164 is filled as the table sees it */
};

struct phone {
	char e164[17];      /* "+15550100002"; "" where refused */
	char extension[12]; /* digits, or "" */
	int calling_code;   /* 1, 49, ...; 0 unknown */
	bool fictitious;
	const char *code;   /* why refused, snake_case: "too_short"; "" where accepted */
	const char *reason; /* the same in words for people, a sentence; "" where accepted */
};

/** ${country}: ISO 3166 code that numbers without one belong to; unknown or NULL means US. */
bool phone_parse(struct str raw, const char *country, struct phone *out) MUST_USE;
/** Without libphonenumber. */
enum phone_verdict phone_fast(struct str raw, const char *country, struct phone *out) MUST_USE;
/** True where ${country} is one that numbers can be read for. */
bool phone_country_known(const char *country);
/** 49 for "DE"; 0 where the country is not known. */
int phone_calling_code(const char *country);

#endif
