/* A prompt, a line "===" and the lead as JSON: what is said on the telephone. */
#include "fuzz.h"
#include "rules/render.h"

static bool
has(struct str s, const char *what)
{
	return str_find(s, what) < s.n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = fuzz_arena();
	struct str rest = fuzz_input(data, size), prompt = fuzz_section(&rest), out;
	struct error e = {0}, other = {0};
	struct value *lead = json_parse(a, rest, &e);
	if (!lead || lead->type != VALUE_MAP)
		lead = value_map(a);
	const struct value *values = render_values(a, lead, "Sam"),
			   *names = render_names(a, prompt, &other);
	struct value *missing = value_list(a);
	e = (struct error){0};
	if (!render_prompt(a, prompt, values, NULL, &out, missing, &e)) {
		MUST(e.kind == ERR_INVALID && e.message[0]);
		return 0;
	}
	MUST(names && out.n <= RENDER_MOST && missing->list.n <= names->list.n);
	/* nothing is left that the provider would expand; a stated default is the author's own */
	MUST(!has(out, "{{") || has(prompt, "|"));
	if (str_is_utf8(prompt)) {
		MUST(str_is_utf8(out));
		fuzz_clean(render_used(a, render_read(a, prompt, NULL), values));
	}
	return 0;
}
