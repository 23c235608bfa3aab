#include "rules/phone_text.h"

#include <ctype.h>
#include <string.h>

/* One character: a digit 0-9, '+', ' ' for what may be left out, 'a' for a letter, or itself. */
static char
meaning(struct str s, size_t *length)
{
	const unsigned char *p = (const unsigned char *)s.p;
	*length = 1;
	if (p[0] < 0x80) {
		if (p[0] <= ' ' || strchr("-.()[]'_~*", p[0]))
			return ' ';
		return isalpha(p[0]) ? 'a' : (char)p[0];
	}
	*length = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
	if (*length > s.n)
		*length = s.n;
	if (*length == 2 && p[0] == 0xD9 && p[1] >= 0xA0 && p[1] <= 0xA9)
		return (char)('0' + p[1] - 0xA0); /* Arabic digits */
	if (*length == 2 && p[0] == 0xC2)
		return ' '; /* no-break space, soft hyphen, dots */
	if (*length == 3 && p[0] == 0xEF && p[1] == 0xBC && p[2] >= 0x90 && p[2] <= 0x99)
		return (char)('0' + p[2] - 0x90); /* full width, as Japanese keyboards type them */
	if (*length == 3 && p[0] == 0xEF && p[1] == 0xBC && p[2] == 0x8B)
		return '+';
	if (*length == 3 &&
	    ((p[0] == 0xE2 && p[1] <= 0x81) || (p[0] == 0xE3 && p[1] == 0x80) || p[0] == 0xEF))
		return ' '; /* dashes, thin spaces, direction marks, byte order mark */
	return 'a';
}

static size_t
count_digits(struct str s)
{
	size_t n = 0, k;
	for (size_t i = 0; i < s.n; i += k)
		n += isdigit((unsigned char)meaning(str_sub(s, i, s.n), &k)) != 0;
	return n;
}

/* "x 12", "ext. 12", "#12", ";ext=12", ",,12" behind a number. */
static bool
take_extension(struct str rest, struct phone_text *out, const char **trouble)
{
	static const char *const words[] = {"x", "ext", "extn", "extension", "xt", "poste",
	    "durchwahl", "dw", "app", "int", "anexo", "ramal"};
	char word[12] = "";
	size_t n = 0, digits = 0, k;
	for (size_t i = 0; i < rest.n; i += k) {
		char c = meaning(str_sub(rest, i, rest.n), &k);
		if (c == 'a' && n < sizeof(word) - 1 && k == 1)
			word[n++] = (char)tolower((unsigned char)rest.p[i]);
		else if (c == 'a')
			n = sizeof(word) - 1;
		if (isdigit((unsigned char)c) && digits < sizeof(out->extension) - 1)
			out->extension[digits++] = c;
	}
	word[n] = '\0';
	out->extension[digits] = '\0';
	bool known = n == 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		known = known || !strcmp(word, words[i]);
	*trouble = digits >= 7 ? "several_numbers" : "letters";
	return known && digits < 7;
}

/* "tel:+1...", "Mobile: 555..." */
static struct str
without_label(struct str s)
{
	size_t i = 0;
	while (i < s.n && (isalpha((unsigned char)s.p[i]) || s.p[i] == ' '))
		i++;
	return i && i < s.n && s.p[i] == ':' ? str_sub(s, i + 1, s.n) : s;
}

static bool
add_digit(struct phone_text *d, char c)
{
	if (d->n == PHONE_TEXT_DIGITS)
		return false;
	d->digits[d->n++] = c;
	d->digits[d->n] = '\0';
	return true;
}

/* The trunk zero that Britons put into "+44 (0)20 ..." is not dialled. */
static bool
is_optional_zero(const struct phone_text *d, struct str s)
{
	bool abroad = d->plus || (d->n > 2 && !memcmp(d->digits, "00", 2));
	return abroad && d->n && str_starts(s, "(0)") &&
	       !(d->n >= 2 && !memcmp(d->digits, "39", 2));
}

/* NULL, or the code of what is wrong. */
static const char *
read_digits(struct str s, struct phone_text *d)
{
	const char *trouble;
	for (size_t i = 0, k; i < s.n; i += k) {
		struct str rest = str_sub(s, i, s.n);
		char c = meaning(rest, &k);
		if (isdigit((unsigned char)c)) {
			if (!add_digit(d, c))
				return "too_long";
		} else if (c == '+' && d->n == 0) {
			d->plus = true;
		} else if (is_optional_zero(d, rest)) {
			k = 3;
		} else if (c == '/' && (d->n < 7 || count_digits(rest) < 7)) {
			continue;
		} else if (c != ' ' && !(d->n >= 6 && take_extension(rest, d, &trouble))) {
			return d->n >= 6 ? trouble : c == 'a' ? "letters" : "unreadable";
		} else if (c != ' ') {
			break;
		}
	}
	return d->n ? NULL : count_digits(s) ? "unreadable" : "empty";
}

/*
 * What a spreadsheet made of a number: 1.5550100002E+10 (or 1,555...), 15550100002.0. False where
 * digits are lost; otherwise *${s} is plain digits, in ${room}, or as it was.
 */
static bool
undo_spreadsheet(struct str *s, char room[32])
{
	size_t e = str_chr(*s, 'E') < s->n ? str_chr(*s, 'E') : str_chr(*s, 'e');
	size_t n = 0, point = 0;
	int64_t exponent = 0;
	struct str mantissa = str_sub(*s, 0, e), power = str_sub(*s, e + 1, s->n);
	bool decimal = false;
	for (size_t i = 0; i < mantissa.n; i++) {
		char c = mantissa.p[i];
		if ((c == '.' || c == ',') && !decimal && n) {
			decimal = true;
			point = n;
		} else if (isdigit((unsigned char)c) && n < 31) {
			room[n++] = c;
		} else if (!(c == '+' && i == 0)) {
			return true; /* no spreadsheet's number: as it was */
		}
	}
	if (e == s->n) { /* 15550100002.0 */
		if (!decimal || point < 7 || point > 15 || s->p[0] == '+')
			return true;
		for (size_t i = point; i < n; i++)
			if (room[i] != '0')
				return true;
		*s = (struct str){room, point};
		return true;
	}
	if (!n ||
	    !str_to_int(str_starts(power, "+") ? str_sub(power, 1, power.n) : power, &exponent))
		return true;
	size_t whole =
	    (decimal ? point : n) + (exponent > 0 && exponent < 40 ? (size_t)exponent : 0);
	if (whole != n)
		return false;
	*s = (struct str){room, n};
	return true;
}

const char *
phone_text_read(struct str raw, struct phone_text *out)
{
	char room[32];
	struct str s = without_label(str_trim(raw));
	*out = (struct phone_text){0};
	if (s.n && s.p[0] == '\'')
		s = str_sub(s, 1, s.n);
	if (!s.n)
		return "empty";
	if (!undo_spreadsheet(&s, room))
		return "digits_lost";
	return read_digits(s, out);
}
