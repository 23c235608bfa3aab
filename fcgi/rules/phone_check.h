#ifndef RULES_PHONE_CHECK_H
#define RULES_PHONE_CHECK_H
/* Google's libphonenumber behind one C function. Not for North American numbers: see rules/phone.h.
 */
#ifdef __cplusplus
extern "C" {
#endif

enum phone_opinion {
	PHONE_OPINION_VALID,
	PHONE_OPINION_TOO_SHORT,
	PHONE_OPINION_TOO_LONG,
	PHONE_OPINION_NOT_IN_USE, /* right length, but no such range in that country */
	PHONE_OPINION_PREMIUM,
	PHONE_OPINION_TOLL_FREE,
	PHONE_OPINION_UNREADABLE
};

/**
 * What libphonenumber makes of ${text} ("+49 30 1234567", or national with ${country}); where it is
 * valid, its E.164 form of at most ${cap} - 1 characters in ${e164}.
 */
enum phone_opinion phone_check(
    const char *text, const char *country, char *e164, unsigned long cap);

#ifdef __cplusplus
}
#endif
#endif
