#include "store/prompt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "queries.h"

struct value *
prompt_list(struct db *db, struct arena *a, int64_t client_id, struct error *e)
{
	return db_rows(db, a, q_prompt_list, e, P_INT(client_id));
}

struct value *
prompt_find(struct db *db, struct arena *a, int64_t client_id, struct str name, int64_t version,
    struct error *e)
{
	struct value *prompt =
	    db_row(db, a, q_prompt_find, e, P_INT(client_id), P_STR(name), P_ID(version));
	if (!prompt && e->kind == ERR_NOT_FOUND)
		error_set(e, ERR_NOT_FOUND, "There is no prompt of this name%s.",
		    version ? ", or no such version of it" : "");
	return prompt;
}

struct value *
prompt_versions(struct db *db, struct arena *a, int64_t client_id, struct str name, struct error *e)
{
	return db_rows(db, a, q_prompt_versions, e, P_INT(client_id), P_STR(name));
}

bool
prompt_save(struct db *db, struct arena *a, int64_t client_id, const struct prompt *p,
    int64_t user_id, int64_t now, int64_t *version, struct error *e)
{
	const struct value *row = db_row(db, a, q_prompt_save, e, P_INT(client_id), P_STR(p->name),
	    P_STR(p->body), P_STR(p->first_sentence), P_STR(p->voicemail_message),
	    P_JSON(p->defaults), P_STR(p->note), P_ID(user_id), P_TIME(now));
	*version = value_num(row, "version");
	return row != NULL;
}

bool
prompt_archive(struct db *db, struct arena *a, int64_t client_id, struct str name, int64_t now,
    struct error *e)
{
	int64_t n = 0;
	if (str_is(name, "default"))
		return error_code(e, ERR_CONFLICT, "default_prompt",
		    "The default prompt stays: it is what a lead without a prompt of its own is called with.");
	const struct value *used = db_row(db, a, q_prompt_in_use, e, P_INT(client_id), P_STR(name));
	if (!used)
		return false;
	if (value_num(used, "n"))
		return error_code(e, ERR_CONFLICT, "in_use",
		    "A running or paused campaign speaks from this prompt.");
	if (!db_exec(db, a, q_prompt_archive, &n, e, P_INT(client_id), P_STR(name), P_TIME(now)))
		return false;
	return n || error_set(e, ERR_NOT_FOUND, "There is no prompt of this name.");
}

struct value *
prompt_sample_leads(struct db *db, struct arena *a, int64_t client_id, struct error *e)
{
	return db_rows(db, a, q_prompt_sample_leads, e, P_INT(client_id));
}

struct value *
prompt_lead(struct db *db, struct arena *a, int64_t client_id, int64_t lead_id, struct error *e)
{
	return db_row(db, a, q_prompt_lead, e, P_INT(client_id), P_ID(lead_id));
}

/* --- the seeded ones ---------------------------------------------------------------------------
 */

static bool
read_file(struct arena *a, const char *path, struct str *out, struct error *e)
{
	char chunk[4096];
	struct buf b;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set(e, ERR_INTERNAL, "%s: %s", path, strerror(errno));
	buf_init(&b, a);
	for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0;)
		buf_add(&b, chunk, (size_t)n);
	close(fd);
	*out = buf_view(&b);
	return true;
}

static struct prompt
parse_file(struct str name, struct str text)
{
	struct prompt p = {.name = name, .note = STR("As delivered")};
	while (text.n) {
		struct str rest = text, line = str_trim(str_cut(&rest, '\n')), value = line;
		struct str head = str_cut(&value, ':');
		if (str_is_nocase(head, "First sentence"))
			p.first_sentence = str_trim(value);
		else if (str_is_nocase(head, "Voicemail"))
			p.voicemail_message = str_trim(value);
		else if (line.n)
			break;
		text = rest;
	}
	p.body = str_trim(text);
	return p;
}

static bool
seed_one(struct db *db, struct arena *a, const char *path, struct str name, struct error *e)
{
	struct str text = STR("");
	int64_t version;
	if (!read_file(a, path, &text, e))
		return false;
	struct prompt p = parse_file(name, text);
	const struct value *clients = db_rows(db, a, q_prompt_clients_without, e, P_STR(name));
	for (size_t i = 0; clients && i < clients->list.n; i++)
		if (!prompt_save(db, a, value_num(clients->list.items[i], "id"), &p, 0, clock_now(),
			&version, e))
			return false;
	return clients != NULL;
}

bool
prompt_seed(struct db *db, struct arena *a, const struct config *config, struct error *e)
{
	DIR *dir = opendir(config->prompt_dir);
	if (!dir)
		return error_set(e, ERR_INTERNAL, "%s: %s", config->prompt_dir, strerror(errno));
	bool good = true;
	for (struct dirent *entry; good && (entry = readdir(dir));) {
		struct str name = str_of(entry->d_name);
		if (!str_ends(name, ".txt"))
			continue;
		const char *path = arena_printf(a, "%s/%s", config->prompt_dir, entry->d_name);
		good = seed_one(db, a, path, str_copy(a, str_sub(name, 0, name.n - 4)), e);
	}
	closedir(dir);
	return good;
}
