/* JSON text, as API clients and providers send it. */
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = fuzz_arena();
	struct error e = {0};
	const struct value *v = json_parse(a, fuzz_input(data, size), &e);
	if (!v) {
		MUST(e.kind == ERR_MALFORMED && e.message[0] && str_is_utf8(str_of(e.message)));
		return 0;
	}
	fuzz_clean(v);
	fuzz_survives_json(a, v);
	return 0;
}
