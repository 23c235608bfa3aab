#include "pages/import_fields.h"

#include "base/charset.h"
#include "base/clock.h"
#include "rules/phone.h"
#include "store/campaign.h"

#define COUNT(x) (sizeof(x) / sizeof((x)[0]))

static const struct text {
	const char *name;
	size_t most;
} texts[] = {{"prompt_name", 63}, {"list", 100}, {"source", 200}, {"consent_source", 500}};

static const struct {
	const char *value, *label;
} delimiters[] = {{",", "Comma"}, {";", "Semicolon"}, {"tab", "Tab"}, {"|", "Bar"}};

/* A word out of a list, or nothing. */
static bool
choice(struct request *rq, struct value *options, const char *name, const char *const *words,
    size_t n, struct error *e)
{
	struct str s = request_text(rq, name);
	for (size_t i = 0; i < n; i++)
		if (str_is(s, words[i])) {
			value_set_text(rq->arena, options, name, words[i]);
			return true;
		}
	return !s.n || error_field(e, name, "This is none of the choices.");
}

bool
import_fields_reading(struct request *rq, struct value *options, struct error *e)
{
	static const char *const headers[] = {"yes", "no"};
	static const char *const marks[] = {",", ";", "tab", "|"};
	static const char *const names[] = {"encoding", "delimiter", "header"};
	struct str encoding = request_text(rq, "encoding");
	for (size_t i = 0; i < COUNT(names); i++)
		if (request_has(rq, names[i]))
			value_set_text(rq->arena, options, names[i], "");
	if (encoding.n && !charset_by_name(encoding))
		return error_field(e, "encoding", "This is none of the choices.");
	if (encoding.n)
		value_set(rq->arena, options, "encoding", value_text(rq->arena, encoding));
	return choice(rq, options, "header", headers, COUNT(headers), e) &&
	       choice(rq, options, "delimiter", marks, COUNT(marks), e);
}

static bool
read_country(struct request *rq, struct value *options, struct error *e)
{
	struct str s = request_text(rq, "default_country");
	if (!s.n)
		return true;
	char *code = str_dup(rq->arena, s);
	for (char *p = code; *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	if (!phone_country_known(code))
		return error_field(
		    e, "default_country", "Write a country as two letters, such as US or DE.");
	value_set_text(rq->arena, options, "default_country", code);
	return true;
}

static bool
read_campaign(struct request *rq, struct value *options, struct error *e)
{
	int64_t id = 0;
	if (!request_int(rq, "campaign_id", 1, INT64_MAX, 0, &id, e) || !id)
		return id == 0 && e->kind == ERR_NONE;
	const struct value *c =
	    campaign_find(rq->app->db, rq->arena, rq->viewer->client_id, id, clock_now(), e);
	if (!c && e->kind == ERR_NOT_FOUND)
		return error_field(e, "campaign_id", "There is no campaign %lld.", (long long)id);
	if (c && str_is(value_str(c, "state"), "archived"))
		return error_field(e, "campaign_id", "This campaign is archived.");
	value_set_int(rq->arena, options, "campaign_id", id);
	return c != NULL;
}

struct value *
import_fields(struct request *rq, struct error *e)
{
	static const char *const policies[] = {"skip", "fill_empty", "overwrite"};
	static const char *const consents[] = {"column", "attested", "none"};
	struct value *options = value_map(rq->arena);
	value_set_text(rq->arena, options, "update_policy", "skip");
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct str s = request_text(rq, texts[i].name);
		if (s.n > texts[i].most) {
			error_field(e, texts[i].name, "At most %zu characters.", texts[i].most);
			return NULL;
		}
		if (s.n)
			value_set(rq->arena, options, texts[i].name, value_text(rq->arena, s));
	}
	bool good = choice(rq, options, "update_policy", policies, COUNT(policies), e) &&
		    choice(rq, options, "consent", consents, COUNT(consents), e) &&
		    read_country(rq, options, e) && import_fields_reading(rq, options, e) &&
		    read_campaign(rq, options, e);
	return good ? options : NULL;
}

static void
add(struct arena *a, struct value *list, const char *value, const char *label, struct str chosen)
{
	struct value *v = value_push(a, list, value_map(a));
	value_set_text(a, v, "value", value);
	value_set_text(a, v, "label", label);
	value_set_bool(a, v, "chosen", str_is(chosen, value));
}

struct value *
import_fields_encodings(struct arena *a, struct str chosen)
{
	struct value *list = value_list(a);
	for (size_t i = 0; charset_list(i); i++)
		add(a, list, charset_list(i), charset_list(i), chosen);
	return list;
}

struct value *
import_fields_delimiters(struct arena *a, struct str chosen)
{
	struct value *list = value_list(a);
	for (size_t i = 0; i < COUNT(delimiters); i++)
		add(a, list, delimiters[i].value, delimiters[i].label, chosen);
	return list;
}
