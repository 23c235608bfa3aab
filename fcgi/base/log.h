#ifndef BASE_LOG_H
#define BASE_LOG_H
/*
 * One JSON object a line on stderr (systemd's journal, or a file under make run):
 * {"time":…,"level":…,"msg":…,"request":…, …}. A failure is logged once, at the edge. Secrets never
 * come here: callers pass ids, never keys, tokens, bodies or full phone numbers (LOG_PHONE masks).
 * What slips into a text all the same, such as a database's message that quotes a number, is
 * masked. Where stderr is the journal, "<3>" to "<7>" stands before the line: the journal takes it
 * off again and knows the level, so that `journalctl -p err` shows errors.
 */
#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
	const char *key;
	enum { LOG_F_TEXT, LOG_F_INT, LOG_F_PHONE } type;
	const char *text;
	int64_t number;
};

#define LOG_TEXT(k, v) ((struct log_field){(k), LOG_F_TEXT, (v), 0})
#define LOG_INT(k, v) ((struct log_field){(k), LOG_F_INT, NULL, (v)})
#define LOG_PHONE(k, v) ((struct log_field){(k), LOG_F_PHONE, (v), 0})

/** The program's name ("web", "dialer") and the least level that is printed. */
void log_open(const char *program, enum log_level least);
/** "debug", "info", "warn" or "error"; anything else is info. */
enum log_level log_level_of(const char *name);
/** An id put on each line until the next call; NULL ends it. Copied. Per thread. */
void log_context(const char *request_id);
void log_write(enum log_level level, const char *msg, const struct log_field *fields, size_t n);
/** log_info("call placed", LOG_TEXT("call", id), LOG_INT("ms", 12)); */
#define LOG_FIELDS(...) ((struct log_field[]){{0}, ##__VA_ARGS__})
#define LOG_LINE(level, msg, ...)                                                                  \
	log_write((level), (msg), LOG_FIELDS(__VA_ARGS__) + 1,                                     \
	    sizeof(LOG_FIELDS(__VA_ARGS__)) / sizeof(struct log_field) - 1)
#define log_debug(msg, ...) LOG_LINE(LOG_DEBUG, msg, ##__VA_ARGS__)
#define log_info(msg, ...) LOG_LINE(LOG_INFO, msg, ##__VA_ARGS__)
#define log_warn(msg, ...) LOG_LINE(LOG_WARN, msg, ##__VA_ARGS__)
#define log_error(msg, ...) LOG_LINE(LOG_ERROR, msg, ##__VA_ARGS__)

#endif
