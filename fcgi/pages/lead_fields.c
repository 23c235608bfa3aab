#include "pages/lead_fields.h"

#include <string.h>

#include "rules/phone.h"

static const struct {
	const char *name, *label;
	size_t most;
} fields[] = {
    {"contact", "The name", 200},
    {"company", "The company", 200},
    {"email", "The e-mail address", 254},
    {"location", "The place", 200},
    {"region", "The state or province", 10},
    {"time_zone", "The time zone", 60},
    {"source", "The source", 200},
    {"assigned_agent", "The agent", 200},
    {"notes", "The notes", 20000},
    {"list", "The list", 100},
    {"prompt_name", "The prompt", 63},
};

static bool
read_phone(struct request *rq, struct value *out, struct error *e)
{
	struct arena *a = rq->arena;
	struct phone phone;
	struct str raw = request_text(rq, "phone");
	const char *country = rq->app->config.default_country;
	if (!raw.n)
		return error_field(e, "phone", "Enter a phone number, such as +1 415 555 0100.");
	if (raw.n > 60 || !phone_parse(raw, country, &phone))
		return error_field(e, "phone", "%s Write it like +1 415 555 0100.",
		    raw.n > 60 ? "This is too long for a phone number." : phone.reason);
	value_set(a, out, "phone", value_text(a, str_of(arena_strdup(a, phone.e164))));
	value_set(a, out, "extension", value_text(a, str_of(arena_strdup(a, phone.extension))));
	return true;
}

/* IANA names only: an offset would be wrong half of the year. */
static bool
check_zone(struct str zone, struct error *e)
{
	if (!zone.n || (str_chr(zone, '/') < zone.n && str_chr(zone, '.') == zone.n))
		return true;
	return error_field(e, "time_zone",
	    "Write the zone by its name, such as America/Denver, or leave it empty.");
}

static bool
check_email(struct str email, struct error *e)
{
	size_t at = str_chr(email, '@');
	if (!email.n || (at > 0 && at + 1 < email.n && str_chr(email, ' ') == email.n))
		return true;
	return error_field(e, "email", "An e-mail address looks like name@example.com.");
}

struct value *
lead_fields_read(struct request *rq, bool whole, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *out = value_map(a), *attributes = value_get(rq->body, "attributes");
	if ((whole || request_has(rq, "phone")) && !read_phone(rq, out, e))
		return NULL;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const char *name = fields[i].name;
		bool customary = strcmp(name, "contact") == 0 && !request_has(rq, name);
		if (customary)
			name = "name";
		if (!value_get(rq->body, name))
			continue;
		struct str s = request_text(rq, name);
		if (s.n > fields[i].most) {
			error_field(e, fields[i].name, "%s may have at most %zu characters.",
			    fields[i].label, fields[i].most);
			return NULL;
		}
		value_set(a, out, fields[i].name, value_text(a, s));
	}
	if (!check_zone(value_str(out, "time_zone"), e) || !check_email(value_str(out, "email"), e))
		return NULL;
	if (attributes && attributes->type == VALUE_MAP)
		value_set(a, out, "attributes", attributes);
	return out;
}
