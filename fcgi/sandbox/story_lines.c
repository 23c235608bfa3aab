#include "sandbox/story_lines.h"

#define GREETING "u:Hello?|Hi, who's this?|Yes, hello?|Good day, speaking.|{company}, hello?"
#define OPENING                                                                                    \
	"o:Hi {contact}, this is {agent} from {firm}. Do you have a minute?|Hello {contact}, "     \
	"{agent} here, from {firm}. I am calling about {topic}.|Good day {contact}, my name is "   \
	"{agent} and I work with {firm}. Is now a bad time?"
#define GO_ON                                                                                      \
	"u:Sure, what is it about?|A minute, yes. Go ahead.|All right, but keep it short.|Okay, "  \
	"I'm listening."
#define PITCH                                                                                       \
	"a:It is about {topic}. We have been working with companies like {company}.|Thank you. We " \
	"help teams such as yours at {company} with {topic}.|I'll be brief: I would like to know "  \
	"whether {topic} is something {company} is looking at this year."

static const char *const interested[] = {GREETING, OPENING, GO_ON, PITCH,
    "u:Actually, that comes at a good time. What does it cost?|Interesting. We were talking "
    "about that last week.|Oh, we do need something like that. How does it work?",
    "a:It depends on the size; most pay by use, and the first month is free.|The short version: "
    "we set it up with you in a day, and you pay for what you use.|I would rather show you than "
    "tell you: twenty minutes with one of my colleagues is enough.",
    "u:That sounds fair. Can you send me something?|Good, I'd like to see that.|Okay, let's do "
    "it. Morning is best for me.",
    "a:Wonderful. Would Thursday at ten work for you?|Very good. I'll put you down for Tuesday "
    "afternoon, shall I?|Perfect. My colleague will call tomorrow to fix a time.",
    "u:Yes, that works.|Tuesday is good, thank you.|Fine with me. Talk to you then.",
    "a:Thank you, {contact}. Have a good day!|Great, you will get an invitation by e-mail. "
    "Goodbye!",
    "x:Ended call", NULL};

static const char *const not_interested[] = {GREETING, OPENING, GO_ON, PITCH,
    "u:No, thanks, we have that already.|I'm sorry, that is nothing for us.|We signed with "
    "somebody else only last month.|Not at the moment, budgets are frozen.",
    "a:I understand. May I ask what would have to be different?|Fair enough. Is it the price, or "
    "the time?|Of course. Would it be all right if I sent a page about it?",
    "u:No, really, we are fine as we are.|Neither. We just don't need it.|Please don't. We are "
    "happy with what we have.",
    "a:Then I won't keep you. Thank you for your time, {contact}.|Understood, thank you for "
    "being clear. Goodbye.",
    "u:Bye.|Thanks, goodbye.", "x:Ended call", NULL};

static const char *const callback[] = {GREETING, OPENING,
    "u:It's really a bad moment, I'm in a meeting.|I'm driving. Can you call later?|Not now, I "
    "have somebody with me.",
    "a:Of course. When would be a better time?|Sorry to disturb. Shall I try again this "
    "week?|No problem at all, {contact}. What time suits you?",
    "u:Try tomorrow after three.|Friday morning, about ten.|Next Monday, please. Before lunch.",
    "a:I'll call you then. Thank you!|Noted. Talk to you then, {contact}.", "u:Okay, bye.",
    "x:Ended call", NULL};

static const char *const follow_up[] = {GREETING, OPENING, GO_ON, PITCH,
    "u:Hm. I would have to talk to my partner first.|That is not mine to decide, our office "
    "manager does that.|Possibly. Send me the details and I'll see.",
    "a:That makes sense. What would help you decide?|Of course. May I send the details to your "
    "office?|Sure. Which questions would they ask first?",
    "u:Prices, and how long we are tied to it.|References from our trade would be good.|Whether "
    "it works with the system we have.",
    "a:I'll have that sent to you. Thank you, {contact}.|You will have it in writing this week.",
    "u:Good, thanks.|Okay. Bye now.", "x:Ended call", NULL};

static const char *const voicemail[] = {
    "u:You have reached {contact}. I can't take your call right now; please leave a message after "
    "the tone.|Hi, this is the voicemail of {company}. Leave your name and number after the "
    "beep.|The person you are calling is not available. At the tone, please record your message.",
    "v:{voicemail}", "x:Ended call", NULL};

static const char *const hangup[] = {"u:Hello?|Yes?|Who is this?", NULL};

static const char *const do_not_contact[] = {GREETING, OPENING,
    "u:Take me off your list. Do not call this number again.|Stop calling me. Remove my number, "
    "please.|I never agreed to this. Don't ever call me again.",
    "a:I am sorry for the disturbance, {contact}. I'll take your number off our list at once.|"
    "Understood. You will not be called by us again. Goodbye.",
    "x:Ended call", NULL};

static const char *const wrong_number[] = {GREETING, OPENING,
    "u:There is nobody of that name here.|You have the wrong number.|Who? No, you've dialled the "
    "wrong number.",
    "a:I'm sorry, I must have an old number. Thank you, and goodbye.|My mistake, sorry for the "
    "trouble.",
    "x:Ended call", NULL};

static const char *const nothing[] = {NULL};

static const struct script scripts[OUTCOME__MAX] = {
    [OUTCOME_BY_LOT] = {nothing, NULL},
    [OUTCOME_INTERESTED] = {interested,
	"{contact} is interested in {topic} and agreed to a meeting.|{contact} of {company} asked "
	"about prices and wants to see a demonstration."},
    [OUTCOME_NOT_INTERESTED] = {not_interested,
	"{contact} is not interested in {topic}.|{contact} of {company} declined; they have what "
	"they need."},
    [OUTCOME_CALLBACK] = {callback,
	"{contact} had no time and asked to be called back.|Bad moment; a time for another call "
	"was agreed with {contact}."},
    [OUTCOME_FOLLOW_UP] = {follow_up,
	"{contact} wants details in writing before deciding about {topic}.|{contact} needs to ask "
	"a colleague at {company}; more information was promised."},
    [OUTCOME_VOICEMAIL] = {voicemail, "The call was answered by a voicemail system."},
    [OUTCOME_HANGUP] = {hangup, "The person hung up at once."},
    [OUTCOME_DO_NOT_CONTACT] = {do_not_contact,
	"{contact} asked not to be called again.|The person demanded to be taken off the list."},
    [OUTCOME_WRONG_NUMBER] = {wrong_number, "The number does not belong to {contact}."},
    [OUTCOME_SILENT] = {nothing, NULL},
    [OUTCOME_NO_ANSWER] = {nothing, NULL},
    [OUTCOME_BUSY] = {nothing, NULL},
    [OUTCOME_NOT_FOUND] = {nothing, NULL},
    [OUTCOME_UNAVAILABLE] = {nothing, NULL},
    [OUTCOME_BLOCKED] = {nothing, NULL},
    [OUTCOME_NOT_PERMITTED] = {nothing, NULL},
    [OUTCOME_CANCELED] = {nothing, NULL},
};

const struct script *
story_script(enum outcome o)
{
	return &scripts[o];
}
