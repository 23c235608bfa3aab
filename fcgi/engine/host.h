#ifndef ENGINE_HOST_H
#define ENGINE_HOST_H
/* What the machine itself can say: room on its disks, whether its clock is set, who listens, and
 * our own site as seen from here. Used by watch, status and doctor. */
#include "base/config.h"
#include "net/peek.h"

struct host_disk {
	const char *path;    /* one of those that share it */
	int64_t free, total; /* bytes */
};

enum { HOST_DISKS = 4, HOST_CERTIFICATE_DAYS = 14 /* fewer are worth an alert */ };

/** The disks that we write to: data, PostgreSQL's and backups', each once. Returns how many. */
size_t host_disks(const struct config *config, struct host_disk out[HOST_DISKS]);
/** BASE_URL/health as this machine's nginx answers it, else as the public address does. */
bool host_site(
    const struct config *config, struct arena *a, struct peek *out, struct error *e) MUST_USE;
/** Whole days for which the site's certificate is still good, negative once it has run out;
 * INT64_MAX where the site has none. */
int64_t host_certificate_days(const struct peek *site);
/** Whether the kernel knows of somebody who sets its clock (NTP). */
bool host_clock_set(void);
/** Somebody listens on the socket ${name} in RUN_DIR. */
bool host_listens(const struct config *config, struct arena *a, const char *name);
/** The sockets that nginx hands requests to; NULL ends the list. */
extern const char *const host_sockets[];
/** "1.4 GB" */
const char *host_bytes(struct arena *a, int64_t bytes);

#endif
