#include "store/setting.h"

#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "queries.h"

/* Where the configuration has a value for what is not stored. */
static const char *
configured(const struct config *c, const char *name)
{
	const struct {
		const char *name, *value;
	} items[] = {{"bland_api_key", c->bland_api_key},
	    {"bland_webhook_secret", c->bland_webhook_secret}, {"voice_id", c->voice_id},
	    {"default_country", c->default_country}, {"time_zone", c->time_zone},
	    {"default_prompt", c->default_prompt}, {"alert_webhook", c->alert_webhook},
	    {"alert_email", c->alert_email}};
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		if (strcmp(items[i].name, name) == 0)
			return items[i].value;
	return "";
}

static const char *
seal_context(struct arena *a, int64_t client_id, const char *name)
{
	return arena_printf(a, "client %lld %s", (long long)client_id, name);
}

/* The settings of one client as last read; a worker asks for several with each request or call. */
static struct {
	struct arena *a;
	struct value *rows;
	int64_t client_id, read_at;
} kept;

static const struct value *
rows_of(struct db *db, int64_t client_id, struct error *e)
{
	int64_t now = clock_monotonic();
	if (kept.rows && kept.client_id == client_id &&
	    now - kept.read_at < SETTING_SECONDS * CLOCK_SECOND)
		return kept.rows;
	if (!kept.a)
		kept.a = arena_new(4096);
	arena_reset(kept.a);
	kept.rows = db_rows(db, kept.a, q_setting_all, e, P_INT(client_id));
	kept.client_id = client_id;
	kept.read_at = now;
	return kept.rows;
}

const char *
setting_get(struct db *db, struct arena *a, const struct config *config, int64_t client_id,
    const char *name, struct error *e)
{
	const struct value *rows = rows_of(db, client_id, e);
	if (!rows)
		return NULL;
	for (size_t i = 0; i < rows->list.n; i++) {
		const struct value *row = rows->list.items[i];
		if (!str_is(value_str(row, "name"), name))
			continue;
		if (value_has(row, "sealed"))
			return crypto_open(a, config->secret_key, seal_context(a, client_id, name),
			    value_str(row, "sealed"), e);
		struct buf b;
		buf_init(&b, a);
		value_print(&b, value_get(row, "value"));
		return b.p;
	}
	return configured(config, name);
}

struct value *
setting_list(struct db *db, struct arena *a, int64_t client_id, struct error *e)
{
	struct value *rows = db_rows(db, a, q_setting_list, e, P_INT(client_id)),
		     *map = value_map(a);
	for (size_t i = 0; rows && i < rows->list.n; i++)
		value_set_str(a, map, value_str(rows->list.items[i], "name"), rows->list.items[i]);
	return rows ? map : NULL;
}

void
setting_forget(void)
{
	kept.rows = NULL;
}

bool
setting_put(struct db *db, struct arena *a, int64_t client_id, const char *name, struct str value,
    int64_t user_id, int64_t now, struct error *e)
{
	setting_forget();
	if (!value.n)
		return db_exec(db, a, q_setting_remove, NULL, e, P_INT(client_id), P_TEXT(name));
	return db_exec(db, a, q_setting_put, NULL, e, P_INT(client_id), P_TEXT(name),
	    P_JSON(value_text(a, value)), P_ID(user_id), P_TIME(now));
}

bool
setting_seal(struct db *db, struct arena *a, const struct config *config, int64_t client_id,
    const char *name, struct str value, int64_t user_id, int64_t now, struct error *e)
{
	enum { SHOWN = 4, LEAST_FOR_HINT = 12 };
	setting_forget();
	if (!value.n)
		return db_exec(db, a, q_setting_remove, NULL, e, P_INT(client_id), P_TEXT(name));
	char *sealed = crypto_seal(a, config->secret_key, seal_context(a, client_id, name), value);
	struct str end =
	    value.n >= LEAST_FOR_HINT ? str_sub(value, value.n - SHOWN, value.n) : STR("");
	return db_exec(db, a, q_setting_seal, NULL, e, P_INT(client_id), P_TEXT(name),
	    P_TEXT(sealed), P_STR(end), P_ID(user_id), P_TIME(now));
}
