/*
 * Preloaded into every program of a chaos run: a wall clock that can be moved while they run, and a
 * disk that can be full. CHAOS_SHIM names a file of three 64-bit numbers, mapped by all: seconds to
 * add to the wall clock, the same for the provider (trunkline-sandbox), whose clock is another
 * machine's, and whether writing below .../spool/ finds no room. CLOCK_MONOTONIC is left alone, as
 * by a real administrator's `date -s`.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct control {
	volatile int64_t ours, providers, disk_full;
};

static struct control none;
static struct control *control = &none;
static volatile int64_t *offset = &none.ours;

__attribute__((constructor)) static void
open_control(void)
{
	const char *path = getenv("CHAOS_SHIM");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *p = mmap(NULL, sizeof(struct control), PROT_READ, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED)
		control = p;
	offset = strcmp(program_invocation_short_name, "trunkline-sandbox") == 0
		     ? &control->providers
		     : &control->ours;
	close(fd);
}

static int
is_wall(clockid_t id)
{
	return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int done = (int)syscall(SYS_clock_gettime, id, ts);
	if (done == 0 && is_wall(id))
		ts->tv_sec += *offset;
	return done;
}

int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec ts;
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &ts);
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *out)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	if (out)
		*out = ts.tv_sec;
	return ts.tv_sec;
}

static int
no_room(int fd)
{
	char link[64], path[4096];
	if (!control->disk_full)
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	if (!strstr(path, "/spool/"))
		return 0;
	errno = ENOSPC;
	return 1;
}

ssize_t
write(int fd, const void *p, size_t n)
{
	return no_room(fd) ? -1 : syscall(SYS_write, fd, p, n);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	return no_room(fd) ? -1 : syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	return no_room(fd) ? -1 : syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t
writev(int fd, const struct iovec *v, int n)
{
	return no_room(fd) ? -1 : syscall(SYS_writev, fd, v, n);
}
