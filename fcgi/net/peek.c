#include "net/peek.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"

static size_t
drop(char *p, size_t size, size_t n, void *ctx)
{
	(void)p;
	(void)ctx;
	return size * n;
}

static int64_t
expiry(CURL *c)
{
	static const char name[] = "Expire date:";
	struct curl_certinfo *chain = NULL;
	if (curl_easy_getinfo(c, CURLINFO_CERTINFO, &chain) != CURLE_OK || !chain ||
	    chain->num_of_certs < 1)
		return 0;
	for (struct curl_slist *line = chain->certinfo[0]; line; line = line->next)
		if (strncasecmp(line->data, name, sizeof(name) - 1) == 0) {
			time_t at = curl_getdate(line->data + sizeof(name) - 1, NULL);
			return at > 0 ? at * CLOCK_SECOND : 0;
		}
	return 0;
}

static CURLcode
ask(CURL *c, const char *url, struct curl_slist *to, int timeout_ms, bool verify)
{
	curl_easy_reset(c);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_CONNECT_TO, to);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, (long)verify);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
	curl_easy_setopt(c, CURLOPT_CERTINFO, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, drop);
	curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
	return curl_easy_perform(c);
}

bool
peek(const char *url, const char *host, int timeout_ms, struct peek *out, struct error *e)
{
	struct curl_slist *to = NULL;
	char words[128];
	long status = 0;
	*out = (struct peek){0};
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return error_set(e, ERR_INTERNAL, "libcurl cannot be started.");
	CURL *c = curl_easy_init();
	if (host && snprintf(words, sizeof(words), "::%s:", host) < (int)sizeof(words))
		to = curl_slist_append(NULL, words);
	CURLcode code = c ? ask(c, url, to, timeout_ms, true) : CURLE_FAILED_INIT;
	out->trusted = code == CURLE_OK;
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		code = ask(c, url, to, timeout_ms, false);
	if (code == CURLE_OK) {
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
		out->status = (int)status;
		out->expires_at = expiry(c);
	} else {
		error_set(e, ERR_UNAVAILABLE, "%s", curl_easy_strerror(code));
	}
	curl_easy_cleanup(c);
	curl_slist_free_all(to);
	curl_global_cleanup();
	return code == CURLE_OK;
}
