#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/heartbeat.h"

/* A socket as systemd has it; ${name}: a path, or @name for one without a file. */
static int
listener(const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	size_t n = strlen(name);
	memcpy(at.sun_path, name, n);
	if (*name == '@')
		at.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
	    0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void
hears(int fd, int beats)
{
	char text[64];
	for (int i = 0; i < beats; i++) {
		ssize_t n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
		assert_int_equal(n, strlen("WATCHDOG=1"));
		assert_memory_equal(text, "WATCHDOG=1", (size_t)n);
	}
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), -1);
}

static void
nobody_listens(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	heartbeat();
	setenv("NOTIFY_SOCKET", "", 1);
	heartbeat();
	char text[300];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	setenv("NOTIFY_SOCKET", text, 1);
	heartbeat();
}

/* One after the other in one test: the pause between two beats is of the process. */
static void
systemd_hears_one_beat_a_second(void **state)
{
	(void)state;
	char dir[] = "/tmp/trunkline-heartbeat-XXXXXX", path[64], abstract[64];
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/notify", dir);
	int fd = listener(path);
	for (int i = 0; i < 1000; i++)
		heartbeat();
	hears(fd, 1);
	close(fd);
	unlink(path);
	rmdir(dir);
	snprintf(abstract, sizeof(abstract), "@trunkline-heartbeat-%d", (int)getpid());
	fd = listener(abstract);
	heartbeat();
	hears(fd, 0);
	char text[64];
	for (int i = 0; i < 300 && recv(fd, text, sizeof(text), MSG_DONTWAIT) < 0; i++) {
		heartbeat();
		usleep(10 * 1000);
	}
	assert_memory_equal(text, "WATCHDOG=1", strlen("WATCHDOG=1"));
	hears(fd, 0);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nobody_listens),
	    cmocka_unit_test(systemd_hears_one_beat_a_second),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
