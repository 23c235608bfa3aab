#ifndef RULES_COLUMNS_H
#define RULES_COLUMNS_H
/*
 * Which column of a list is what. Headers are compared without regard to case, blanks, punctuation
 * and accents, in English, German, Spanish and French. Where headers leave the phone open, what
 * stands in the first rows decides.
 */
#include "base/str.h"

enum column_field {
	COLUMN_ATTRIBUTE, /* kept on the lead under its key, usable in prompts */
	COLUMN_PHONE,
	COLUMN_CONTACT,
	COLUMN_FIRST_NAME, /* joined with the last name into contact */
	COLUMN_LAST_NAME,
	COLUMN_COMPANY,
	COLUMN_EMAIL,
	COLUMN_LOCATION,
	COLUMN_STATE,
	COLUMN_TIME_ZONE,
	COLUMN_SOURCE,
	COLUMN_CONSENT,
	COLUMN_ASSIGNED_AGENT,
	COLUMN_NOTES,
	COLUMN_IGNORE, /* only when a person says so */
	COLUMN__MAX
};

struct column {
	struct str name;         /* the header as it stands */
	enum column_field field; /* no field but ATTRIBUTE and IGNORE occurs twice */
	const char *key;         /* snake_case and unique within the map: "credit_score" */
	size_t phones;           /* how many of the samples look like phone numbers */
};

struct column_map {
	struct column *columns;
	size_t n;
	bool sure;         /* false: ask a person before importing */
	const char *doubt; /* why not sure, for that person; "" otherwise */
};

struct column_sample {
	const struct str *fields;
	size_t n;
};

struct columns_input {
	const struct str *names;
	size_t n;
	bool has_header;
	const struct column_sample *samples; /* some 20 rows do */
	size_t n_samples;
	const char *country; /* default country for phone numbers, "US" */
};

struct column_map *columns_match(struct arena *a, const struct columns_input *in);
/** A person's choice; takes the field from the column that had it. */
void columns_assign(struct column_map *m, size_t i, enum column_field field);
/** The column that holds ${field}, or m->n. */
size_t columns_find(const struct column_map *m, enum column_field field);
/** The value of ${field} in a row without blanks around; empty where column or value is missing. */
struct str columns_value(
    const struct column_map *m, enum column_field field, const struct str *fields, size_t n);
/** The contact column or, where that is empty, first and last name. */
struct str columns_contact(
    struct arena *a, const struct column_map *m, const struct str *fields, size_t n);

/** "phone", "time_zone", ...; and back: false where there is no such field. */
const char *columns_field_name(enum column_field field);
bool columns_field_by_name(struct str name, enum column_field *out) MUST_USE;
/** "Credit Score (FICO)" becomes "credit_score_fico", "PhoneNumber" "phone_number", "Straße"
 * "strasse". */
char *columns_key(struct arena *a, struct str header);

#endif
