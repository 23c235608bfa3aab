#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static const char *program_name = "trunkline";
static enum log_level threshold = LOG_INFO;
static _Thread_local char context[64];

enum log_level
log_level_of(const char *name)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
		if (strcmp(names[i], name) == 0)
			return (enum log_level)i;
	return LOG_INFO;
}

void
log_open(const char *program, enum log_level least)
{
	program_name = program;
	threshold = least;
}

void
log_context(const char *request_id)
{
	snprintf(context, sizeof(context), "%s", request_id ? request_id : "");
}

static void
text_member(struct buf *b, const char *key, const char *text)
{
	buf_putc(b, ',');
	buf_json(b, str_of(key));
	buf_putc(b, ':');
	buf_json(b, str_utf8(b->a, str_of(text)));
}

/* +15550100002 -> +1555…02: enough to recognise, too little to dial. */
static void
phone_member(struct buf *b, const char *key, const char *phone)
{
	char masked[32];
	size_t n = phone ? strlen(phone) : 0;
	if (n >= 10)
		snprintf(masked, sizeof(masked), "%.5s…%s", phone, phone + n - 2);
	else
		snprintf(masked, sizeof(masked), "…");
	text_member(b, key, masked);
}

void
log_write(enum log_level level, const char *msg, const struct log_field *fields, size_t n)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	if (level < threshold)
		return;
	struct arena *a = arena_new(2048);
	struct buf b;
	buf_init(&b, a);
	buf_puts(&b, "{\"time\":\"");
	clock_print_rfc3339(&b, clock_now());
	buf_printf(&b, "\",\"level\":\"%s\",\"program\":\"%s\",\"pid\":%d", names[level],
	    program_name, (int)getpid());
	text_member(&b, "msg", msg);
	if (context[0])
		text_member(&b, "request", context);
	for (size_t i = 0; i < n; i++) {
		if (fields[i].type == LOG_F_INT) {
			buf_putc(&b, ',');
			buf_json(&b, str_of(fields[i].key));
			buf_printf(&b, ":%" PRId64, fields[i].number);
		} else if (fields[i].type == LOG_F_PHONE) {
			phone_member(&b, fields[i].key, fields[i].text);
		} else {
			text_member(&b, fields[i].key, fields[i].text);
		}
	}
	buf_puts(&b, "}\n");
	/* One write a line, so that lines of several workers never mix. Nobody to tell if it fails.
	 */
	ssize_t ignored = write(STDERR_FILENO, b.p, b.n);
	(void)ignored;
	arena_free(a);
}
