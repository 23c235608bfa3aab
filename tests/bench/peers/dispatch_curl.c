/*
 * What libcurl's multi interface does alone: the same body, N times, over so many connections.
 * Prints {"seconds": s}.
 *
 * usage: dispatch_curl URL BODY-FILE N CONNECTIONS
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST_BODY = 1 << 16 };

static size_t
swallow(char *p, size_t size, size_t n, void *ctx)
{
	(void)p, (void)ctx;
	return size * n;
}

static double
now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t
read_file(const char *path, char *out)
{
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(out, 1, MOST_BODY, f) : 0;
	if (f)
		fclose(f);
	return n;
}

static CURL *
exchange(const char *url, const char *body, size_t n, struct curl_slist *headers)
{
	CURL *c = curl_easy_init();
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)n);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, swallow);
	return c;
}

/* Takes what ended and starts as many again. Returns how many were answered, -1 where one failed.
 */
static long
turn(CURLM *multi, long *left)
{
	CURLMsg *m;
	long done = 0, status = 0;
	for (int rest; (m = curl_multi_info_read(multi, &rest));) {
		CURL *c = m->easy_handle;
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
		if (m->data.result != CURLE_OK || status != 200)
			return -1;
		done++;
		curl_multi_remove_handle(multi, c);
		if (*left > 0) {
			(*left)--;
			curl_multi_add_handle(multi, c);
		} else {
			curl_easy_cleanup(c);
		}
	}
	return done;
}

int
main(int argc, char **argv)
{
	static char body[MOST_BODY];
	if (argc != 5) {
		fprintf(stderr, "usage: dispatch_curl URL BODY-FILE N CONNECTIONS\n");
		return 2;
	}
	size_t n = read_file(argv[2], body);
	long left = atol(argv[3]), wanted = left, width = atol(argv[4]), done = 0;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	CURLM *multi = curl_multi_init();
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, width);
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	double began = now();
	for (; width && left; width--, left--)
		curl_multi_add_handle(multi, exchange(argv[1], body, n, headers));
	while (done < wanted) {
		int running;
		curl_multi_perform(multi, &running);
		long more = turn(multi, &left);
		if (more < 0) {
			fprintf(stderr, "a POST failed\n");
			return 1;
		}
		done += more;
		if (!more)
			curl_multi_poll(multi, NULL, 0, 1000, NULL);
	}
	printf("{\"seconds\": %.6f}\n", now() - began);
	return 0;
}
