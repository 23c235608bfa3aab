#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "rules/columns.h"

/* Cuts "a|b|c" into fields. */
static struct column_sample
cells(struct arena *a, const char *text)
{
	struct str rest = str_of(text);
	struct str *fields = arena_new_array(a, struct str, 40);
	size_t n = 0;
	while (rest.n)
		fields[n++] = str_cut(&rest, '|');
	return (struct column_sample){fields, n};
}

static struct column_map *
match(struct arena *a, const char *header, bool has_header, const char *row1, const char *row2)
{
	struct column_sample names = cells(a, header);
	struct column_sample *samples = arena_new_array(a, struct column_sample, 2);
	samples[0] = cells(a, row1);
	samples[1] = cells(a, row2);
	struct columns_input in = {names.fields, names.n, has_header, samples, *row1 ? 2 : 0, "US"};
	return columns_match(a, &in);
}

/* "phone contact attribute:credit_score" */
static char *
summary(struct arena *a, const struct column_map *m)
{
	struct buf b;
	buf_init(&b, a);
	for (size_t i = 0; i < m->n; i++) {
		buf_printf(&b, "%s%s", i ? " " : "", columns_field_name(m->columns[i].field));
		if (m->columns[i].field == COLUMN_ATTRIBUTE)
			buf_printf(&b, ":%s", m->columns[i].key);
	}
	return b.p;
}

static void
headers_are_matched_loosely(void **state)
{
	(void)state;
	static const struct {
		const char *header, *fields;
	} cases[] = {
	    {"phone|company|contact", "phone company contact"},
	    {"name|phone|email|location|source|consent|assigned_agent|notes",
		"contact phone email location source consent assigned_agent notes"},
	    {"Phone Number|Business Name|Full Name|E-Mail", "phone company contact email"},
	    {"PHONE_NUMBER|COMPANY|CONTACT NAME|Credit Score (FICO)",
		"phone company contact attribute:credit_score_fico"},
	    {"PhoneNumber|FirstName|LastName|TimeZone", "phone first_name last_name time_zone"},
	    {"mobile|first name|last name|state", "phone first_name last_name state"},
	    {"Telefonnummer|Firma|Vorname|Nachname|Bundesland|Bemerkungen",
		"phone company first_name last_name state notes"},
	    {"Name|Vorname|Handy|Ort", "last_name first_name phone location"},
	    {"Nombre|Apellidos|Teléfono|Correo electrónico|Ciudad",
		"first_name last_name phone email location"},
	    {"Nom|Prénom|Téléphone|Société|Ville", "last_name first_name phone company location"},
	    {"Nombre|Teléfono móvil|Empresa", "contact phone company"},
	    {"Phone (main)|Status|Zip", "phone attribute:status attribute:zip"},
	    {"Phone|Phone Type|Phone Extension",
		"phone attribute:phone_type attribute:phone_extension"},
	    {"\xEF\xBB\xBFphone|Straße|Größe", "phone attribute:strasse attribute:groesse"},
	    {"phone|Notes|notes|", "phone notes attribute:notes_2"},
	    {"phone|city|address|location", "phone attribute:city attribute:address location"},
	    {"Do Not Phone|Phone", "attribute:do_not_phone phone"},
	    {"phone|кредит|電話", "phone attribute:кредит attribute:電話"},
	};
	struct arena *a = arena_new(4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct column_map *m = match(a, cases[i].header, true, "", "");
		assert_string_equal(summary(a, m), cases[i].fields);
		assert_true(m->sure);
		assert_string_equal(m->doubt, "");
	}
	arena_free(a);
}

static void
contents_decide_where_headers_do_not(void **state)
{
	(void)state;
	static const struct {
		const char *header, *row1, *row2, *fields;
		bool has_header, sure;
	} cases[] = {
	    {"Home Phone|Mobile", "|555-010-0001", "|+15550100002", "attribute:home_phone phone",
		true, true},
	    {"Home Phone|Mobile", "555-010-0001|555-010-0003", "555-010-0002|555-010-0004",
		"attribute:home_phone phone", true, false},
	    {"who|which", "Ada|(555) 010-0001", "Bob|555.010.0002", "attribute:who phone", true,
		false},
	    {"who|which", "Ada|2026-01-05", "Bob|1234", "attribute:who attribute:which", true,
		false},
	    {"column_1", "5550100001", "5550100002", "phone", false, true},
	    {"column_1|column_2", "Ada|5550100001", "Bob|5550100002", "attribute:column_1 phone",
		false, false},
	    {"a|b", "5550100001|5550100001", "5550100002|5550100002", "phone attribute:b", true,
		false},
	};
	struct arena *a = arena_new(4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct column_map *m =
		    match(a, cases[i].header, cases[i].has_header, cases[i].row1, cases[i].row2);
		assert_string_equal(summary(a, m), cases[i].fields);
		assert_int_equal(m->sure, cases[i].sure);
		assert_int_equal(m->doubt[0] == '\0', cases[i].sure);
	}
	arena_free(a);
}

static void
keys_are_unique_and_never_those_of_fields(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	struct column_map *m = match(a, "Phone|mobile|Contact|name|!!!|x|X|x 2", true, "", "");
	for (size_t i = 0; i < m->n; i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(m->columns[i].key, m->columns[k].key);
	assert_string_equal(m->columns[4].key, "column_5");
	m = match(a, "Telefon|Firma", true, "", "");
	assert_int_equal(columns_find(m, COLUMN_COMPANY), 1);
	arena_free(a);
}

static void
a_person_may_choose(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	struct column_map *m = match(a, "Phone|Mobile|Junk", true, "", "");
	enum column_field field;
	assert_true(columns_field_by_name(str_of("phone"), &field));
	columns_assign(m, 1, field);
	columns_assign(m, 2, COLUMN_IGNORE);
	assert_string_equal(summary(a, m), "attribute:phone phone ignore");
	assert_false(columns_field_by_name(str_of("fax"), &field));
	arena_free(a);
}

static void
contact_is_joined_from_its_parts(void **state)
{
	(void)state;
	static const struct {
		const char *header, *row, *contact;
	} cases[] = {
	    {"phone|first name|last name", "1| Ada |Lovelace", "Ada Lovelace"},
	    {"phone|first name|last name", "1|Ada|", "Ada"},
	    {"phone|first name|last name", "1", ""},
	    {"phone|contact|first name|last name", "1|Dr. L|Ada|Lovelace", "Dr. L"},
	    {"phone|contact|first name|last name", "1| |Ada|Lovelace", "Ada Lovelace"},
	};
	struct arena *a = arena_new(4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct column_map *m = match(a, cases[i].header, true, "", "");
		struct column_sample row = cells(a, cases[i].row);
		assert_true(str_is(columns_contact(a, m, row.fields, row.n), cases[i].contact));
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(headers_are_matched_loosely),
	    cmocka_unit_test(contents_decide_where_headers_do_not),
	    cmocka_unit_test(keys_are_unique_and_never_those_of_fields),
	    cmocka_unit_test(a_person_may_choose),
	    cmocka_unit_test(contact_is_joined_from_its_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
