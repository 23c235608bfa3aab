#include "sandbox/bland.h"

static const struct {
	const char *name, *description;
} voices[] = {
    {"maya", "Young American Female"},
    {"Josh", "American Male"},
    {"Florian", "German Male"},
    {"Derek", "American Male, calm"},
    {"June", "American Female"},
    {"Nat", "American Female, energetic"},
    {"Paige", "American Female, warm"},
};

static struct value *
voice(struct arena *a, size_t i)
{
	struct value *v = value_map(a), *tags = value_list(a);
	value_set(a, v, "id", value_printf(a, "aaaaaaaa-0000-4000-8000-%012zu", i + 1));
	value_set_text(a, v, "name", voices[i].name);
	value_set_text(a, v, "description", voices[i].description);
	value_set_bool(a, v, "public", true);
	value_set(a, v, "tags", tags);
	value_push(a, tags, value_textz(a, "english"));
	value_push(a, tags, value_textz(a, "Bland Curated"));
	value_set(a, v, "user_id", value_null(a));
	value_set(a, v, "voice_id", value_printf(a, "bbbbbbbb-0000-4000-8000-%012zu", i + 1));
	value_set_text(a, v, "service", "BTTS_V2");
	value_set_bool(a, v, "finetuned", false);
	value_set_bool(a, v, "is_creator_voice", false);
	value_set_int(a, v, "ratings", 10);
	value_set_int(a, v, "total_ratings", 10);
	value_set(a, v, "average_rating", value_real(a, 4.5));
	value_set(a, v, "my_rating", value_null(a));
	value_set(a, v, "creator_display_name", value_null(a));
	return v;
}

void
bland_voices(struct exchange *x, struct str id)
{
	struct value *v = value_map(x->a);
	struct value *list = value_set(x->a, v, "voices", value_list(x->a));
	(void)id;
	for (size_t i = 0; i < sizeof(voices) / sizeof(voices[0]); i++)
		value_push(x->a, list, voice(x->a, i));
	exchange_answer(x, 200, v);
}

void
bland_voice(struct exchange *x, struct str id)
{
	for (size_t i = 0; i < sizeof(voices) / sizeof(voices[0]); i++) {
		struct value *one = voice(x->a, i), *v = value_map(x->a);
		if (!str_is_nocase(id, voices[i].name) && !str_eq(id, value_str(one, "id")))
			continue;
		value_set(x->a, v, "voice", one);
		exchange_answer(x, 200, v);
		return;
	}
	exchange_refuse(x, 404, "Voice not found");
}
