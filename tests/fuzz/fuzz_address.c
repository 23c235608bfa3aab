/* An address that somebody typed in: what is taken must mean to libcurl, which goes there, what it
 * meant to us. */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <netdb.h>

#include "fuzz.h"
#include "net/address.h"

static bool
is_closed(const char *host)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST}, *found = NULL;
	size_t n = strlen(host);
	char bare[300];
	if (n > 1 && n < sizeof(bare) && host[0] == '[') {
		memcpy(bare, host + 1, n - 2);
		bare[n - 2] = '\0';
		host = bare;
	}
	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return strcasecmp(host, "localhost") == 0;
	bool closed = !address_is_public(found->ai_addr);
	freeaddrinfo(found);
	return closed;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = fuzz_arena();
	struct str url = fuzz_input(data, size);
	struct error e = {0};
	char *host = NULL, *user = NULL, *scheme = NULL;
	if (!address_check(a, url, false, &e)) {
		MUST(e.kind == ERR_INVALID && e.message[0]);
		return 0;
	}
	CURLU *parts = curl_url();
	if (parts && curl_url_set(parts, CURLUPART_URL, str_dup(a, url), 0) == CURLUE_OK) {
		MUST(
		    curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK && !is_closed(host));
		MUST(curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_NO_USER);
		MUST(curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		     strcmp(scheme, "https") == 0);
	}
	curl_free(host);
	curl_free(user);
	curl_free(scheme);
	curl_url_cleanup(parts);
	return 0;
}
