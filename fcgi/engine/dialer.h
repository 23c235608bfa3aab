#ifndef ENGINE_DIALER_H
#define ENGINE_DIALER_H
/*
 * One run of the dialer: claim → place → settle → reconcile, until its time budget is spent. All
 * that it knows is in the database; it may be killed at any moment, and any number of them may run
 * at once.
 */
#include "base/config.h"
#include "engine/pace.h"
#include "net/client.h"
#include "store/db.h"

struct dialer {
	const struct config *config;
	struct db *db;
	struct client *client;
	struct pace *pace;
	struct prompt *prompts;  /* see place.c */
	struct arena *own;       /* as long as the run */
	struct arena *tick;      /* what one round needs */
	const char *run;         /* this run's uuid: the token of its leases */
	const char *host, *boot; /* boot: of this machine since it was started */
	struct reply *replies;   /* answers that the database has not got yet, oldest first */
	struct reply **last_reply;
	struct db *settler; /* brings them there, while other things go on */
	int waiting;        /* their number */
	int settling;       /* of the oldest of them, so many are on the way */
	struct claim *claim;
	int placing, looking; /* exchanges under way */
	int64_t placed;       /* calls placed by this run */
};

/** Runs until ${config}->dialer_budget is over or ${signals} (a signalfd) becomes readable. Returns
 * the exit status. ${a} lives as long as the run. */
int dialer_run(const struct config *config, struct arena *a, int signals);

/* claim.c: claims on a connection of its own, one client after the other, while other things go on.
 * claim_go_on does what can be done without waiting; *idle: nothing is under way. */
enum { MOST_CLAIM = 1000, MOST_PLACING = 2000 };
struct claim *claim_open(struct dialer *d, struct error *e);
void claim_close(struct claim *c);
bool claim_go_on(struct dialer *d, bool *idle, struct error *e) MUST_USE;
/* Claims for ${client_id}; only while idle. */
bool claim_begin(struct dialer *d, int64_t client_id, struct error *e) MUST_USE;
/* How many more may be claimed now. */
int claim_room(const struct dialer *d);
/* Sends some of what was claimed, and tells whether there is more of it; better after the next
 * claim was begun, which then goes on meanwhile. */
bool claim_place(struct dialer *d);
/* Whether the claims since the last time this was asked found so much that there may be more. */
bool claim_more(struct dialer *d);
/* Whether another run claimed until just now: then nothing is claimed for a second. */
bool claim_took_over(struct dialer *d);
/* For poll(), or -1. */
int claim_socket(const struct dialer *d);
/* place.c: sends one claimed call (a row of dial_calls). ${claimed} is the monotonic time before
 * the claim: past PLACE_SECONDS after it nothing is sent any more. */
enum { PLACE_SECONDS = 3, LEASE_SLACK = 5 };
void place_call(struct dialer *d, const struct value *call, int64_t claimed);
/* An answer for settle: kept until the database has it. ${a} is freed then. */
void settle_later(struct dialer *d, struct arena *a, struct value *result);
/* settle.c: hands the answers to the database, where they are enough or have waited long enough to
 * be worth the way, without waiting for it; or ${all}, and waits. On failure they stay. */
bool settle_replies(struct dialer *d, bool all, struct error *e) MUST_USE;
/* Milliseconds until it is worth the way; 0: now; -1: nothing is to be sent now. */
int settle_wait(const struct dialer *d);
/* For poll(), or -1: readable when what is on the way has arrived. */
int settle_socket(const struct dialer *d);
/* tick.c: "boot microseconds", a time that only this boot of this machine can compare; it neither
 * jumps nor stops. */
char *monotonic_stamp(const struct dialer *d, struct arena *a);
/* reconcile.c: expired leases, silent and ambiguous calls of ${client_id}. */
bool reconcile(struct dialer *d, int64_t client_id, struct error *e) MUST_USE;

/* place.c: headers with the client's key, NULL-terminated; NULL + error where there is none. */
const char *const *provider_headers(
    struct dialer *d, struct arena *a, int64_t client_id, struct error *e);
const char *provider_url(struct dialer *d, struct arena *a, const char *path);

#endif
