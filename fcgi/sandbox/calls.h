#ifndef SANDBOX_CALLS_H
#define SANDBOX_CALLS_H
/*
 * The calls that were accepted, and the numbers that were ever asked for. A call costs one
 * allocation, sized for it (about 1 KB): 100,000 of them are about 100 MB. Finished ones beyond
 * options.keep are forgotten, oldest first; a number (80 bytes) is remembered until reset.
 */
#include "sandbox/behaviour.h"
#include "sandbox/sandbox.h"

struct number {
	struct number *next; /* in its hash bucket */
	struct call *newest;
	char phone[18]; /* "+" and up to 15 digits */
	unsigned tries; /* well-formed POSTs that came to a behaviour */
	unsigned accepted;
	int64_t last_accepted; /* sandbox_now; meaningless while accepted is 0 */
};

enum call_state { CALL_QUEUED, CALL_CONNECTED, CALL_ENDED };

enum call_event { EVENT_QUEUE = 1, EVENT_CALL = 2, EVENT_LATENCY = 4 };

/* The texts of a call; JSON ones are as they were sent. */
struct call_texts {
	struct str from, webhook, metadata, request_data, dispositions, objective;
	struct str contact, company, agent, firm, topic, opening, voicemail, attempt;
};

struct call {
	struct arena *a;
	struct call *next;  /* in its hash bucket */
	struct call *older; /* to the same number */
	struct number *number;
	const struct behaviour *behaviour;
	enum outcome outcome;
	enum call_state state;
	uint64_t seed;
	uint64_t order;                  /* of acceptance */
	uint64_t waiting;                /* the exchange that waits for the report; 0: none */
	int64_t created, started, ended; /* microseconds since the epoch, 0: not yet */
	int64_t start_after;             /* real milliseconds, for calls that were scheduled */
	double ring, talk;               /* seconds of the story */
	int64_t planned; /* real microseconds that the talk takes when nobody stops it */
	double max_minutes;
	unsigned holds; /* timers and deliveries that point here */
	unsigned events;
	bool record, stopped, early; /* early: answered_by is not known yet */
	bool told;                   /* its report was taken, or given up */
	struct str said;             /* the POST, for the ledger; only while it is accepted */
	char id[37];
	struct call_texts t;
};

struct calls;

struct calls *calls_new(size_t keep);
void calls_free(struct calls *c);
void calls_clear(struct calls *c);

/** The number's entry, made where it is new. ${phone} is in E.164. */
struct number *calls_number(struct calls *c, const char *phone);
/** NULL where it was never asked for. */
struct number *calls_find_number(const struct calls *c, const char *phone);
/** A queued call; copies ${t}; ${id} NULL: a fresh one. May forget the oldest call. */
struct call *calls_add(
    struct calls *c, struct number *number, const struct call_texts *t, const char *id);
struct call *calls_find(const struct calls *c, const char *id);
/** The calls that are remembered, oldest first: ${i} from 0 to calls_count - 1. */
struct call *calls_at(const struct calls *c, size_t i);
size_t calls_count(const struct calls *c);
uint64_t calls_total(const struct calls *c);
/** Each number that was accepted at least once. */
void calls_each_number(const struct calls *c, void (*fn)(void *p, const struct number *n), void *p);

#endif
