#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

enum { MOST_URL = 1000 };

struct range {
	uint32_t from;
	int bits;
};

/* RFC 6890 and its registry, without what is reachable by everybody. */
static const struct range closed4[] = {{0x00000000, 8}, {0x0a000000, 8}, {0x64400000, 10},
    {0x7f000000, 8}, {0xa9fe0000, 16}, {0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24},
    {0xc0586300, 24}, {0xc0a80000, 16}, {0xc6120000, 15}, {0xc6336400, 24}, {0xcb007100, 24},
    {0xe0000000, 4}, {0xf0000000, 4}};

static bool
is_public4(uint32_t address)
{
	for (size_t i = 0; i < sizeof(closed4) / sizeof(closed4[0]); i++)
		if ((address ^ closed4[i].from) >> (32 - closed4[i].bits) == 0)
			return false;
	return true;
}

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Only global unicast (2000::/3) is public; of it, what carries an IPv4 address is judged by that.
 */
static bool
is_public6(const uint8_t *p)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};
	if (memcmp(p, mapped, 12) == 0 || memcmp(p, nat64, 12) == 0)
		return is_public4(be32(p + 12));
	if (p[0] >> 5 != 1)
		return false;
	if (p[0] == 0x20 && p[1] == 0x02) /* 6to4 */
		return is_public4(be32(p + 2));
	uint32_t head = be32(p);
	bool teredo_and_kin = head >> 9 == 0x20010000 >> 9; /* 2001::/23 */
	bool documentation = head == 0x20010db8 || head >> 12 == 0x3fff0;
	return !teredo_and_kin && !documentation;
}

bool
address_is_public(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, address, sizeof(in));
		return is_public4(ntohl(in.sin_addr.s_addr));
	}
	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, address, sizeof(in6));
		return is_public6(in6.sin6_addr.s6_addr);
	}
	return false;
}

/* A literal address in any of the forms that a resolver takes, such as 0x7f.1, that is not public.
 */
static bool
is_closed_literal(const char *host)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM},
			*found = NULL;
	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return false;
	bool closed = !address_is_public(found->ai_addr);
	freeaddrinfo(found);
	return closed;
}

static bool
is_local_name(struct str host)
{
	static const char *const ends[] = {
	    ".localhost", ".local", ".internal", ".lan", ".home.arpa", ".localdomain"};
	if (str_is_nocase(host, "localhost") || str_chr(host, '.') == host.n)
		return str_chr(host, ':') == host.n;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t n = strlen(ends[i]);
		if (host.n > n && str_is_nocase(str_sub(host, host.n - n, host.n), ends[i]))
			return true;
	}
	return false;
}

static bool
is_plain_text(struct str url)
{
	for (size_t i = 0; i < url.n; i++)
		if (url.p[i] <= ' ' || url.p[i] > '~' || url.p[i] == '\\')
			return false;
	return true;
}

/* A name or address without anything that somebody else might read otherwise: no escapes, no zones.
 */
static bool
is_plain_host(struct str host, bool bracketed)
{
	char text[INET6_ADDRSTRLEN + 1];
	struct in6_addr address;
	if (bracketed) {
		if (host.n >= sizeof(text))
			return false;
		memcpy(text, host.p, host.n);
		text[host.n] = '\0';
		return inet_pton(AF_INET6, text, &address) == 1;
	}
	for (size_t i = 0; i < host.n; i++) {
		char c = host.p[i];
		if (!((c | 32) >= 'a' && (c | 32) <= 'z') && !(c >= '0' && c <= '9') && c != '.' &&
		    c != '-' && c != '_')
			return false;
	}
	return host.n > 0;
}

/* "host" or "[host]" before a port of digits. */
static bool
cut_host(struct str authority, struct str *host)
{
	bool bracketed = authority.n && authority.p[0] == '[';
	size_t end = str_chr(authority, bracketed ? ']' : ':');
	*host = str_sub(authority, bracketed, end);
	struct str port = str_sub(authority, end + bracketed, authority.n);
	if (bracketed && end == authority.n)
		return false;
	int64_t number = 443;
	if (port.n && (port.p[0] != ':' || !str_to_int(str_sub(port, 1, port.n), &number) ||
			  number < 1 || number > 65535))
		return false;
	if (!bracketed && host->n && host->p[host->n - 1] == '.')
		host->n--;
	return is_plain_host(*host, bracketed);
}

bool
address_check(struct arena *a, struct str url, bool private_ok, struct error *e)
{
	struct str rest, host;
	if (str_starts(url, "https://"))
		rest = str_sub(url, 8, url.n);
	else if (private_ok && str_starts(url, "http://"))
		rest = str_sub(url, 7, url.n);
	else
		return error_set(e, ERR_INVALID, "The address must begin with https://.");
	size_t end = 0;
	while (end < rest.n && !strchr("/?#", rest.p[end]))
		end++;
	struct str authority = str_sub(rest, 0, end);
	if (url.n > MOST_URL || !is_plain_text(url) || !cut_host(authority, &host))
		return error_set(e, ERR_INVALID, "This is no complete web address.");
	if (str_chr(authority, '@') < authority.n)
		return error_set(e, ERR_INVALID, "The address must not hold a user or a password.");
	if (!private_ok && (is_local_name(host) || is_closed_literal(str_dup(a, host))))
		return error_set(e, ERR_INVALID,
		    "This address is inside a private network, which is not asked from here.");
	return true;
}
