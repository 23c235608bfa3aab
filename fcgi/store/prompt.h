#ifndef STORE_PROMPT_H
#define STORE_PROMPT_H
/* Prompts: named texts whose versions never change once written. */
#include "base/config.h"
#include "store/db.h"

struct prompt {
	struct str name, body, first_sentence, voicemail_message, note;
	const struct value *defaults; /* NULL: as in the version before */
};

struct value *prompt_list(
    struct db *db, struct arena *a, int64_t client_id, struct error *e) MUST_USE;
/** ${version} 0: the current one. ERR_NOT_FOUND. */
struct value *prompt_find(struct db *db, struct arena *a, int64_t client_id, struct str name,
    int64_t version, struct error *e) MUST_USE;
struct value *prompt_versions(
    struct db *db, struct arena *a, int64_t client_id, struct str name, struct error *e) MUST_USE;
/** Makes it, or a new version of it where the text differs. */
bool prompt_save(struct db *db, struct arena *a, int64_t client_id, const struct prompt *p,
    int64_t user_id, int64_t now, int64_t *version, struct error *e) MUST_USE;
/** ERR_CONFLICT for "default" and for one that a running or paused campaign uses. */
bool prompt_archive(struct db *db, struct arena *a, int64_t client_id, struct str name, int64_t now,
    struct error *e) MUST_USE;
/** Up to 20 leads to preview with; and one with everything that placeholders may name (0: the
 * newest). */
struct value *prompt_sample_leads(
    struct db *db, struct arena *a, int64_t client_id, struct error *e) MUST_USE;
struct value *prompt_lead(
    struct db *db, struct arena *a, int64_t client_id, int64_t lead_id, struct error *e) MUST_USE;
/**
 * Gives every client that has none the prompts of config.prompt_dir: NAME.txt, whose first lines
 * may read "First sentence: …" and "Voicemail: …", then an empty line, then the text.
 */
bool prompt_seed(
    struct db *db, struct arena *a, const struct config *config, struct error *e) MUST_USE;

#endif
