#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

static const char *program_name = "trunkline";
static enum log_level threshold = LOG_INFO;
static _Thread_local char context[64];
static bool to_journal;

enum log_level
log_level_of(const char *name)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
		if (strcmp(names[i], name) == 0)
			return (enum log_level)i;
	return LOG_INFO;
}

/* systemd tells which stream it reads (systemd.exec(5)); stderr may have been led elsewhere since.
 */
static bool
is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	unsigned long long device = 0, inode = 0;
	char *end = NULL;
	if (!stream || fstat(STDERR_FILENO, &st) != 0)
		return false;
	device = strtoull(stream, &end, 10);
	if (*end == ':')
		inode = strtoull(end + 1, NULL, 10);
	return device == st.st_dev && inode == st.st_ino;
}

void
log_open(const char *program, enum log_level least)
{
	program_name = program;
	threshold = least;
	to_journal = is_journal();
}

void
log_context(const char *request_id)
{
	snprintf(context, sizeof(context), "%s", request_id ? request_id : "");
}

static size_t
digits(const char *p)
{
	size_t n = 0;
	while (p[n] >= '0' && p[n] <= '9')
		n++;
	return n;
}

/* What must not be read after these words. */
static size_t
secret_word(const char *p)
{
	static const char *const words[] = {"Bearer ", "bearer ", "password="};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(p, words[i], strlen(words[i])) == 0)
			return strlen(words[i]);
	return 0;
}

/* A text without phone numbers (E.164, as we keep them) and secrets; itself where it has none. */
static struct str
masked(struct arena *a, const char *text)
{
	enum { LEAST = 8, HEAD = 4, TAIL = 2 };
	struct buf b;
	if (!text || !strpbrk(text, "+Bbp"))
		return str_of(text);
	buf_init(&b, a);
	for (const char *p = text; *p;) {
		size_t n = *p == '+' ? digits(p + 1) : 0, word = secret_word(p);
		if (n >= LEAST) {
			buf_printf(&b, "%.*s…", HEAD + 1, p);
			buf_add(&b, p + 1 + n - TAIL, TAIL);
			p += 1 + n;
		} else if (word) {
			buf_add(&b, p, word);
			buf_puts(&b, "…");
			p += word + strcspn(p + word, " \t\r\n\"',;&");
		} else {
			buf_putc(&b, *p++);
		}
	}
	return buf_view(&b);
}

static void
text_member(struct buf *b, const char *key, const char *text)
{
	buf_putc(b, ',');
	buf_json(b, str_of(key));
	buf_putc(b, ':');
	buf_json(b, str_utf8(b->a, masked(b->a, text)));
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
	static const char priorities[] = "7643";
	if (to_journal)
		buf_printf(&b, "<%c>", priorities[level]);
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
