#include "rules/phone_check.h"

#include <cstdio>
#include <string>

#include <phonenumbers/phonenumberutil.h>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

static enum phone_opinion
of_length(const PhoneNumberUtil &util, const PhoneNumber &number)
{
	switch (util.IsPossibleNumberWithReason(number)) {
	case PhoneNumberUtil::IS_POSSIBLE:
		return PHONE_OPINION_NOT_IN_USE;
	case PhoneNumberUtil::TOO_LONG:
		return PHONE_OPINION_TOO_LONG;
	case PhoneNumberUtil::TOO_SHORT:
	case PhoneNumberUtil::IS_POSSIBLE_LOCAL_ONLY:
		return PHONE_OPINION_TOO_SHORT;
	default:
		return PHONE_OPINION_UNREADABLE;
	}
}

enum phone_opinion
phone_check(const char *text, const char *country, char *e164, unsigned long cap)
{
	const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
	PhoneNumber number;
	std::string formatted;
	if (util.Parse(text, country ? country : "ZZ", &number) !=
	    PhoneNumberUtil::NO_PARSING_ERROR)
		return PHONE_OPINION_UNREADABLE;
	if (!util.IsValidNumber(number))
		return of_length(util, number);
	switch (util.GetNumberType(number)) {
	case PhoneNumberUtil::PREMIUM_RATE:
	case PhoneNumberUtil::SHARED_COST:
		return PHONE_OPINION_PREMIUM;
	case PhoneNumberUtil::TOLL_FREE:
		return PHONE_OPINION_TOLL_FREE;
	case PhoneNumberUtil::VOICEMAIL:
	case PhoneNumberUtil::PAGER:
		return PHONE_OPINION_NOT_IN_USE; /* by nobody who could answer */
	default:
		break;
	}
	util.Format(number, PhoneNumberUtil::E164, &formatted);
	/* Longer ones than E.164 has are valid in some plans; cut short it would be another number. */
	if (formatted.size() >= cap)
		return PHONE_OPINION_TOO_LONG;
	std::snprintf(e164, cap, "%s", formatted.c_str());
	return PHONE_OPINION_VALID;
}
