#include "base/heartbeat.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

static const char beat[] = "WATCHDOG=1";

void
heartbeat(void)
{
	static int64_t next;
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t n = path ? strlen(path) : 0;
	if (n < 2 || n >= sizeof(to.sun_path) || clock_monotonic() < next)
		return;
	next = clock_monotonic() + CLOCK_SECOND;
	memcpy(to.sun_path, path, n);
	/* An abstract socket's name begins with a zero and ends with its length. */
	if (*path == '@')
		to.sun_path[0] = '\0';
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* One that is lost is followed by others. */
	(void)!sendto(fd, beat, sizeof(beat) - 1, MSG_DONTWAIT | MSG_NOSIGNAL,
	    (const struct sockaddr *)&to, length);
	close(fd);
}
