#ifndef SANDBOX_EXCHANGE_H
#define SANDBOX_EXCHANGE_H
/*
 * One HTTP request and its answer. A handler fills status and answer, or lets the caller wait: a
 * parked exchange is answered, or cut off, later.
 */
#include "sandbox/sandbox.h"

struct MHD_Connection;

enum exchange_state {
	EXCHANGE_READING,
	EXCHANGE_READY,
	EXCHANGE_PARKED,
	EXCHANGE_CUT, /* the connection is closed without an answer */
};

struct exchange {
	struct arena *a;
	struct sandbox *s;
	struct MHD_Connection *connection;
	const char *method, *path;
	struct buf body;
	bool too_large;
	enum exchange_state state;
	int status;
	struct buf answer; /* JSON */
	const char *retry_after;
	uint64_t ticket; /* of a parked one */
	struct exchange *next_parked;
};

/** A query parameter, URL-decoded; empty where missing. */
struct str exchange_query(const struct exchange *x, const char *name);
struct str exchange_header(const struct exchange *x, const char *name);
void exchange_answer(struct exchange *x, int status, const struct value *body);
/** {"status":"error","message":...} */
void exchange_refuse(struct exchange *x, int status, const char *message);
/**
 * Lets the caller wait: after ${ms} the state becomes ${then}, unless exchange_release comes first.
 * Returns the ticket to release it by.
 */
uint64_t exchange_park(struct exchange *x, int64_t ms, enum exchange_state then);
/** Ends the waiting. An unknown ticket (already over) is passed over; 0 means all that wait. */
void exchange_release(struct sandbox *s, uint64_t ticket, enum exchange_state as);
/** Whether some were released since the last question: the server then has work at once. */
bool exchange_any_released(void);

#endif
