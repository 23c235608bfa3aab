#include "rules/reason.h"

static const struct reason {
	const char *code, *words, *sentence;
} reasons[] = {
    {"ok", "May be called", "May be called now."},
    {"new", "In the line", "In the line: called as soon as a slot is free."},
    {"no_consent", "No consent yet",
	"No consent to be called is recorded. Record it on the lead, or import a file with a consent column."},
    {"consent_withdrawn", "Consent withdrawn",
	"Consent was withdrawn. Only a new, recorded consent changes that."},
    {"suppressed", "Do not contact",
	"On the do-not-contact list. Take the number off the list to call it again."},
    {"invalid_number", "Wrong number",
	"The number does not exist, was refused, or is somebody else's. Correct it on the lead."},
    {"archived", "Archived", "The lead is archived. Bring it back to call it."},
    {"unknown_zone", "Time zone unknown",
	"Nobody knows where this person is, so no hour is safe. Set a time zone or a state on the lead."},
    {"outside_window", "Outside calling hours",
	"It is outside the calling hours where this person is."},
    {"no_calls_today_here", "No calling hours ahead",
	"The region's law or the campaign's days leave no hour in the next days. Check its schedule."},
    {"called_recently", "Called a moment ago",
	"Was called a short while ago; there must be a pause between calls."},
    {"daily_cap", "Enough calls for today", "Has had as many calls today as one person may get."},
    {"weekly_cap", "Enough calls this week",
	"Has had as many calls this week as one person may get."},
    {"rate_limited", "Provider is busy",
	"The provider asked to slow down; it is tried again by itself."},
    {"provider_hold", "Provider refuses",
	"The provider refused; it goes on when the cause is mended in Settings."},
    {"callback", "Callback promised", "A callback was promised."},
    {"retry:no_answer", "No answer, again later", "Nobody answered; it is tried again by itself."},
    {"retry:busy", "Busy, again later", "The line was busy; it is tried again by itself."},
    {"retry:voicemail", "Voicemail, again later",
	"A voicemail answered; it is tried again by itself."},
    {"retry:hangup", "Hung up, again later",
	"The call ended before a conversation; it is tried again by itself."},
    {"retry:failed", "Failed, again later",
	"The call failed on the way; it is tried again by itself."},
    {"retry:transient", "Provider trouble, again soon",
	"The provider had trouble; it is tried again by itself."},
    {"retry:never_placed", "Not placed, again soon",
	"The provider never placed the call; it is tried again by itself."},
    {"missing_prompt", "No prompt",
	"There is no prompt to speak from. Write one called \"default\"."},
    {"attempts_exhausted", "No more tries", "All tries that the campaign allows are used up."},
    {"do_not_contact", "Asked not to be called",
	"Asked not to be contacted again. Nobody will be."},
    {"blocked", "Refused by the provider", "The provider refuses this number for good."},
    {"not_permitted", "Not permitted", "The provider's account may not call this number."},
    {"carrier_blocked", "Blocked by the carrier",
	"The carrier took the call for spam. Use another caller number; see Settings."},
    {"never_placed", "Never placed",
	"The provider never placed the call, and the tries are used up."},
    {"provider_error", "Provider error",
	"The provider failed again and again. Start the lead again later."},
    {"lost", "Lost at the provider",
	"The provider took the call and no longer knows it. Nobody can tell what came of it."},
    {"bad_request", "Refused by the provider",
	"The provider refused the request. The campaign is paused."},
    {"bad_prompt", "Broken prompt", "The prompt could not be filled in. Mend it on its page."},
    {"prompt_refused", "Prompt refused", "The provider refused the prompt. Change it on its page."},
    {"unauthorized", "Key refused", "The provider refuses the key. Set the right one in Settings."},
    {"insufficient_balance", "No balance",
	"The provider's account has no balance. Top it up, then press Try again in Settings."},
    {"account_flagged", "Account flagged",
	"The provider has flagged the account. Ask their support."},
};

static const struct reason *
find(struct str code)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (str_is(code, reasons[i].code))
			return &reasons[i];
	return NULL;
}

const char *
reason_short(struct str code)
{
	const struct reason *r = find(code);
	return r ? r->words : code.n ? "Waits" : "";
}

const char *
reason_sentence(struct str code)
{
	const struct reason *r = find(code);
	return r ? r->sentence : code.n ? "The cause is in the timeline." : "";
}
