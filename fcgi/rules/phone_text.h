#ifndef RULES_PHONE_TEXT_H
#define RULES_PHONE_TEXT_H
/*
 * The digits in what people and spreadsheets put into a phone column: punctuation, labels ("Tel:
 * "), invisible characters of copied contacts, digits of other scripts, extensions, "(0)", 1.5E+10.
 */
#include "base/str.h"

#define PHONE_TEXT_DIGITS 24 /* E.164 has 15; prefixes such as 00 and 011 come on top */

struct phone_text {
	char digits[PHONE_TEXT_DIGITS + 1];
	size_t n;
	bool plus;          /* they begin with a country code */
	char extension[12]; /* digits, or "" */
};

/** NULL, or a code of rules/phone's reasons ("letters") for what is no number. */
const char *phone_text_read(struct str raw, struct phone_text *out);

#endif
