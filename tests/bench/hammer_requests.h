#ifndef HAMMER_REQUESTS_H
#define HAMMER_REQUESTS_H
/* What hammer sends: requests of a file as they are, or (-g) one of them as the pattern of a report
 * about the n-th call, signed anew each time. Included by hammer.c only. */
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct request {
	const char *p;
	uint32_t n;
};

static struct request *requests;
static size_t request_count;

static void die(const char *what);

static void
read_requests(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st) || st.st_size < 4)
		die(path);
	const char *p =
	    mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (p == MAP_FAILED)
		die("mmap");
	const char *end = p + st.st_size;
	size_t room = 0;
	while (p + 4 <= end) {
		uint32_t n;
		memcpy(&n, p, 4);
		if (n > (size_t)(end - p - 4))
			die("the file of requests is cut");
		if (request_count == room) {
			room = room ? room * 2 : 1024;
			requests = realloc(requests, room * sizeof(*requests));
			if (!requests)
				die("memory");
		}
		requests[request_count++] = (struct request){p + 4, n};
		p += 4 + n;
	}
}

/* --- one report after the other --- */

/* Runs of one letter, as wide as what takes their place. */
enum { UUID = 36, PHONE = 7, SIGNATURE = 64, MOST_MARKS = 8, DIGEST = 32 };
#define CALL_MARK "cccccccccccccccccccccccccccccccccccc"
#define BLAND_MARK "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define PHONE_MARK "ppppppp"

static struct {
	const char *secret; /* NULL: requests are sent as they are */
	size_t count[3], at[3][MOST_MARKS], signature, body;
} pattern;

static size_t
place_of(const struct request *r, size_t from, const char *what)
{
	const char *found = memmem(r->p + from, r->n - from, what, strlen(what));
	return found ? (size_t)(found - r->p) : r->n;
}

static void
pattern_find(const char *secret)
{
	static const char *const marks[] = {CALL_MARK, BLAND_MARK, PHONE_MARK};
	const struct request *r = requests;
	pattern.secret = secret;
	pattern.body = place_of(r, 0, "\r\n\r\n") + 4;
	pattern.signature = place_of(r, 0, "ssssssssssssssss");
	if (pattern.body > r->n || pattern.signature + SIGNATURE > r->n)
		die("the pattern has no body or no place for a signature");
	for (size_t m = 0; m < 3; m++)
		for (size_t at = place_of(r, 0, marks[m]);
		     at < r->n && pattern.count[m] < MOST_MARKS; at = place_of(r, at + 1, marks[m]))
			pattern.at[m][pattern.count[m]++] = at;
}

static void
put_hex(char *to, const unsigned char *from, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		to[2 * i] = digits[from[i] >> 4];
		to[2 * i + 1] = digits[from[i] & 15];
	}
}

static void
put_uuid(char to[UUID], const char *word, size_t n)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char text[64], hex[DIGEST];
	int length = snprintf(text, sizeof(text), "%s %zu", word, n);
	if (!EVP_Digest(text, (size_t)length, digest, NULL, EVP_md5(), NULL))
		die("md5");
	put_hex(hex, digest, 16);
	memcpy(to, hex, 8);
	for (int i = 0; i < 4; i++) {
		to[8 + 5 * i] = '-';
		memcpy(to + 9 + 5 * i, hex + 8 + 4 * i, i < 3 ? 4 : 12);
	}
}

/* The report about the n-th call into `to`, which is as long as the pattern. */
static void
pattern_fill(char *to, size_t n)
{
	char of[3][UUID + 1];
	static const size_t width[] = {UUID, UUID, PHONE};
	unsigned char digest[EVP_MAX_MD_SIZE];
	const struct request *r = requests;
	put_uuid(of[0], "call", n);
	put_uuid(of[1], "bland", n);
	snprintf(of[2], sizeof(of[2]), "%07zu", 2000000 + n);
	memcpy(to, r->p, r->n);
	for (size_t m = 0; m < 3; m++)
		for (size_t i = 0; i < pattern.count[m]; i++)
			memcpy(to + pattern.at[m][i], of[m], width[m]);
	HMAC(EVP_sha256(), pattern.secret, (int)strlen(pattern.secret),
	    (unsigned char *)to + pattern.body, r->n - pattern.body, digest, NULL);
	put_hex(to + pattern.signature, digest, SIGNATURE / 2);
}

#endif
