/* Which addresses somebody may have this machine ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "net/address.h"

static bool
is_public(const char *text)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		return address_is_public((struct sockaddr *)&in);
	if (inet_pton(AF_INET6, text, &in6.sin6_addr) != 1)
		fail_msg("%s is no address", text);
	return address_is_public((struct sockaddr *)&in6);
}

static void
only_the_internet_is_public(void **state)
{
	(void)state;
	static const char *const good[] = {"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0",
	    "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.1.1",
	    "172.15.1.1", "172.32.0.0", "192.0.1.1", "192.167.255.255", "192.169.0.0", "198.17.1.1",
	    "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1",
	    "2002:808:808::1", "64:ff9b::8.8.8.8"};
	static const char *const bad[] = {"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255",
	    "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.9.9.9", "169.254.169.254",
	    "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1",
	    "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1",
	    "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
	    "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "2002:a00:1::1",
	    "2002:7f00:1::", "2001::1", "2001:db8::1", "3fff::1", "fe80::1", "fec0::1", "fc00::1",
	    "fd12:3456::1", "ff02::1", "100::1"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!is_public(good[i]))
			fail_msg("%s is public", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (is_public(bad[i]))
			fail_msg("%s is not public", bad[i]);
	struct sockaddr other = {.sa_family = AF_UNIX};
	assert_false(address_is_public(&other));
}

static bool
check(const char *url, bool private_ok, struct error *e)
{
	struct arena *a = arena_new(1024);
	*e = (struct error){0};
	bool good = address_check(a, str_of(url), private_ok, e);
	arena_free(a);
	return good;
}

static void
what_is_typed_in(void **state)
{
	(void)state;
	static const char *const good[] = {"https://hooks.slack.com/services/T0/B0/x",
	    "https://n8n.example.com:8443/webhook?x=1#y", "https://1.1.1.1/",
	    "https://[2606:4700::1111]/a", "https://example.com."};
	static const char *const bad[] = {"", "https://", "https:///x", "http://example.com/",
	    "ftp://example.com", "file:///etc/passwd", "gopher://example.com", "//example.com",
	    "https://user@example.com/", "https://a:b@example.com", "https://127.0.0.1/",
	    "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://017700000001/",
	    "https://localhost/", "https://LOCALHOST:8443", "https://a.localhost", "https://db",
	    "https://metadata.google.internal/", "https://printer.local", "https://[::1]/",
	    "https://[::ffff:10.0.0.1]/", "https://[fd00::1]", "https://[::1",
	    "https://169.254.169.254/x", "https://192.168.0.1:9000", "https://exa mple.com",
	    "https://example.com/\r\nX: y", "https://example.com\\@127.0.0.1/",
	    "https://ex\xc3\xa4mple.com"};
	struct error e;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!check(good[i], false, &e))
			fail_msg("%s: %s", good[i], e.message);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (check(bad[i], false, &e))
			fail_msg("%s was taken", bad[i]);
		assert_int_equal(e.kind, ERR_INVALID);
		assert_true(e.message[0] != '\0');
	}
}

static void
private_ones_where_allowed(void **state)
{
	(void)state;
	struct error e;
	assert_true(check("http://10.0.0.5:5678/hook", true, &e));
	assert_true(check("http://n8n:5678/hook", true, &e));
	assert_true(check("https://localhost/", true, &e));
	assert_false(check("ftp://10.0.0.5", true, &e));
	assert_false(check("http://u:p@10.0.0.5", true, &e));
	assert_false(check("http://", true, &e));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_the_internet_is_public),
	    cmocka_unit_test(what_is_typed_in),
	    cmocka_unit_test(private_ones_where_allowed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
