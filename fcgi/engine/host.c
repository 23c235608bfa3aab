#include "engine/host.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

enum { PEEK_MS = 5000 };

const char *const host_sockets[] = {
    "web-a.sock", "web-b.sock", "hook-a.sock", "hook-b.sock", "stream.sock", NULL};

size_t
host_disks(const struct config *config, struct host_disk out[HOST_DISKS])
{
	const char *const paths[HOST_DISKS] = {
	    config->state_dir, "/var/lib/postgresql", config->backup_dir, "/var/log"};
	dev_t seen[HOST_DISKS];
	size_t n = 0;
	for (size_t i = 0; i < HOST_DISKS; i++) {
		struct stat st;
		struct statvfs fs;
		bool known = false;
		if (!paths[i] || stat(paths[i], &st) != 0 || statvfs(paths[i], &fs) != 0)
			continue;
		for (size_t k = 0; k < n; k++)
			known = known || seen[k] == st.st_dev;
		if (known)
			continue;
		seen[n] = st.st_dev;
		out[n++] = (struct host_disk){.path = paths[i],
		    .free = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize,
		    .total = (int64_t)fs.f_blocks * (int64_t)fs.f_frsize};
	}
	return n;
}

/* nginx is on this machine as a rule, and its own name may not lead back here (NAT). */
bool
host_site(const struct config *config, struct arena *a, struct peek *out, struct error *e)
{
	struct error here = {0};
	const char *url = arena_printf(a, "%s/health", config->base_url);
	return peek(url, "127.0.0.1", PEEK_MS, out, &here) || peek(url, NULL, PEEK_MS, out, e);
}

int64_t
host_certificate_days(const struct peek *site)
{
	const int64_t day = 24 * 3600 * CLOCK_SECOND;
	if (!site->expires_at)
		return INT64_MAX;
	int64_t left = site->expires_at - clock_now();
	return left < 0 ? left / day - 1 : left / day;
}

bool
host_clock_set(void)
{
	struct timex t = {0};
	int state = adjtimex(&t);
	return state >= 0 && state != TIME_ERROR && !(t.status & STA_UNSYNC);
}

bool
host_listens(const struct config *config, struct arena *a, const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	const char *path = arena_printf(a, "%s/%s", config->run_dir, name);
	if (strlen(path) >= sizeof(at.sun_path))
		return false;
	memcpy(at.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool good = fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
	if (fd >= 0)
		close(fd);
	return good;
}

const char *
host_bytes(struct arena *a, int64_t bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double n = (double)bytes;
	size_t i = 0;
	for (; n >= 1000 && i < 4; i++)
		n /= 1000;
	return arena_printf(a, i < 3 || n >= 100 ? "%.0f %s" : "%.1f %s", n, units[i]);
}
