#include "rules/columns.h"

#include <string.h>

#include "rules/phone.h"

static const char *const field_names[COLUMN__MAX] = {
    [COLUMN_ATTRIBUTE] = "attribute",
    [COLUMN_PHONE] = "phone",
    [COLUMN_CONTACT] = "contact",
    [COLUMN_FIRST_NAME] = "first_name",
    [COLUMN_LAST_NAME] = "last_name",
    [COLUMN_COMPANY] = "company",
    [COLUMN_EMAIL] = "email",
    [COLUMN_LOCATION] = "location",
    [COLUMN_STATE] = "state",
    [COLUMN_TIME_ZONE] = "time_zone",
    [COLUMN_SOURCE] = "source",
    [COLUMN_CONSENT] = "consent",
    [COLUMN_ASSIGNED_AGENT] = "assigned_agent",
    [COLUMN_NOTES] = "notes",
    [COLUMN_IGNORE] = "ignore",
};

/* Keys without underscores between blanks, the best first: of two columns the better one gets the
 * field. */
static const char *const synonyms[COLUMN__MAX] = {
    [COLUMN_PHONE] =
	" phone phonenumber phoneno phonenum mobile mobilephone mobilenumber mobileno cell"
	" cellphone cellnumber telephone telephonenumber telno tel primaryphone mainphone"
	" phone1 contactnumber contactphone leadphone customerphone directphone workphone"
	" businessphone companyphone homephone daytimephone phonehome phonework phonemobile"
	" msisdn e164 whatsapp whatsappnumber phonee164 phoneraw"
	" telefon telefonnummer telefonnr telnr handy handynummer mobil mobiltelefon"
	" mobilnummer rufnummer festnetz telefono telefonos numerodetelefono telefonomovil"
	" movil celular numerodecelular numerotelefono telephoneportable telephonemobile"
	" portable numerodetelephone numerotelephone telefone ",
    [COLUMN_CONTACT] =
	" contact contactname fullname name leadname customername customer clientname person"
	" contactperson decisionmaker kontakt kontaktname ansprechpartner ansprechpartnerin"
	" vollername nombrecompleto nombre contacto nomcomplet nom ",
    [COLUMN_FIRST_NAME] =
	" firstname first givenname fname forename contactfirstname vorname primernombre"
	" nombredepila prenom ",
    [COLUMN_LAST_NAME] =
	" lastname last surname familyname lname contactlastname nachname familienname"
	" apellido apellidos nomdefamille ",
    [COLUMN_COMPANY] = " company companyname business businessname organization organisation"
		       " organizationname organisationname account accountname employer firm firma"
		       " firmenname unternehmen empresa compania entreprise societe raisonsociale ",
    [COLUMN_EMAIL] =
	" email emailaddress mail mailaddress emailid primaryemail workemail emailadresse"
	" correo correoelectronico courriel adresseemail adressemail ",
    [COLUMN_LOCATION] =
	" location city town cityname locality place address ort stadt wohnort standort"
	" ciudad localidad ubicacion ville localite adresse direccion ",
    [COLUMN_STATE] = " state stateprovince stateorprovince statecode usstate province region"
		     " bundesland estado provincia etat departement ",
    [COLUMN_TIME_ZONE] =
	" timezone tz timezonename zeitzone zonahoraria husohorario fuseauhoraire ",
    [COLUMN_SOURCE] = " source leadsource sourcename origin quelle herkunft origen fuente origine ",
    [COLUMN_CONSENT] =
	" consent consentgiven hasconsent callconsent consenttocall tcpaconsent tcpa optin"
	" optedin permission permissiontocall einwilligung zustimmung einverstaendnis"
	" consentimiento consentement autorizacion accord ",
    [COLUMN_ASSIGNED_AGENT] = " assignedagent agent agentname assignedto assignee owner leadowner"
			      " accountowner salesrep rep representative betreuer zustaendig agente"
			      " asignadoa vendedor conseiller ",
    [COLUMN_NOTES] =
	" notes note comments comment remarks remark leadnotes bemerkung bemerkungen notiz"
	" notizen kommentar notas nota comentarios comentario observaciones commentaire"
	" commentaires remarque remarques ",
};

/* Latin letters U+00C0..U+017F without their accents; '.' for what is no letter. */
static const char plain_letters[] =
    "AAAAAAACEEEEIIIIDNOOOOO.OUUUUYTsaaaaaaaceeeeiiiidnooooo.ouuuuyty"
    "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlL"
    "lLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

static const char *
doubled_letter(unsigned code)
{
	switch (code) {
	case 0xDF:
		return "ss";
	case 0xC4:
	case 0xE4:
	case 0xC6:
	case 0xE6:
		return "ae";
	case 0xD6:
	case 0xF6:
	case 0x152:
	case 0x153:
		return "oe";
	case 0xDC:
	case 0xFC:
		return "ue";
	default:
		return NULL;
	}
}

static void
separate(struct buf *b)
{
	if (b->n && b->p[b->n - 1] != '_')
		buf_putc(b, '_');
}

/* One character that is not ASCII; returns its length. */
static size_t
add_foreign(struct buf *b, struct str s)
{
	unsigned char c = (unsigned char)s.p[0];
	size_t n = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
	if (n > s.n)
		n = s.n;
	unsigned code = n == 2 ? (unsigned)(c & 0x1F) << 6 | ((unsigned char)s.p[1] & 0x3F) : 0;
	if (n == 2 && code < 0xC0)
		separate(b); /* no-break space, guillemets */
	else if (doubled_letter(code))
		buf_puts(b, doubled_letter(code));
	else if (code >= 0xC0 && code < 0x180 && plain_letters[code - 0xC0] != '.')
		buf_putc(b, (char)(plain_letters[code - 0xC0] | 0x20));
	else if (n == 3 && c == 0xE2 && (unsigned char)s.p[1] <= 0x81)
		separate(b); /* dashes, quotes, thin spaces */
	else if (!(n == 3 && !memcmp(s.p, "\xEF\xBB\xBF", 3)))
		buf_add(b, s.p, n);
	return n;
}

char *
columns_key(struct arena *a, struct str header)
{
	struct buf b;
	buf_init(&b, a);
	bool lower = false;
	for (size_t i = 0; i < header.n && b.n < 60;) {
		unsigned char c = (unsigned char)header.p[i];
		bool capital = c >= 'A' && c <= 'Z', digit = c >= '0' && c <= '9';
		if (capital && lower)
			separate(&b); /* PhoneNumber */
		lower = c >= 'a' && c <= 'z';
		if (c >= 0x80) {
			i += add_foreign(&b, str_sub(header, i, header.n));
			continue;
		}
		if (capital || lower || digit)
			buf_putc(&b, (char)(digit ? c : c | 0x20));
		else if (c != '\'')
			separate(&b);
		i++;
	}
	while (b.n && b.p[b.n - 1] == '_')
		b.p[--b.n] = '\0';
	return b.p;
}

/* "phone_number" to " phonenumber ", as it stands among the synonyms. */
static char *
squeezed(struct arena *a, const char *key)
{
	struct buf b;
	buf_init(&b, a);
	buf_putc(&b, ' ');
	for (; *key; key++)
		if (*key != '_')
			buf_putc(&b, *key);
	buf_putc(&b, ' ');
	return b.p;
}

/* "Home phone (main)", "Telefon privat", but not "phone type". */
static bool
mentions_phone(const char *word)
{
	static const char *const parts[] = {
	    "phone", "mobile", "cellular", "telefon", "handy", "telefono"};
	static const char *const not_it[] = {"type", "ext", "status", "carrier", "country", "code",
	    "valid", "verified", "consent", "optin", "date", "time", "notes", "model", "count",
	    "donot", "dnc", "typ"};
	bool hit = false;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		hit = hit || strstr(word, parts[i]);
	for (size_t i = 0; i < sizeof(not_it) / sizeof(not_it[0]); i++)
		hit = hit && !strstr(word, not_it[i]);
	return hit;
}

#define NO_RANK 10000u

static unsigned
rank_of(const char *word, enum column_field field)
{
	const char *hit = synonyms[field] && word[1] != ' ' ? strstr(synonyms[field], word) : NULL;
	if (hit)
		return (unsigned)(hit - synonyms[field]);
	return field == COLUMN_PHONE && mentions_phone(word) ? NO_RANK - 1 : NO_RANK;
}

/* Gives ${field} to the column whose header names it best. */
static void
match_field(struct column_map *m, char **words, enum column_field field)
{
	size_t best = m->n;
	unsigned least = NO_RANK;
	for (size_t i = 0; i < m->n; i++) {
		unsigned rank = rank_of(words[i], field);
		if (m->columns[i].field == COLUMN_ATTRIBUTE && rank < least) {
			best = i;
			least = rank;
		}
	}
	if (best < m->n)
		m->columns[best].field = field;
}

/* "Name, Vorname" and "Nombre, Apellidos": what the bare word means depends on its neighbour. */
static void
settle_names(struct column_map *m, char **words)
{
	size_t i = columns_find(m, COLUMN_CONTACT);
	bool first = columns_find(m, COLUMN_FIRST_NAME) < m->n;
	bool last = columns_find(m, COLUMN_LAST_NAME) < m->n;
	if (i == m->n || first == last || !strstr(" name nom nombre ", words[i]))
		return;
	m->columns[i].field = first ? COLUMN_LAST_NAME : COLUMN_FIRST_NAME;
}

static void
count_phones(struct column_map *m, const struct columns_input *in)
{
	for (size_t r = 0; r < in->n_samples; r++)
		for (size_t i = 0; i < m->n && i < in->samples[r].n; i++) {
			struct phone phone;
			m->columns[i].phones +=
			    phone_fast(in->samples[r].fields[i], in->country, &phone) != PHONE_NO;
		}
}

/*
 * The phone column by content. ${candidates}: only columns whose header speaks of a phone. Returns
 * how many columns hold a fair share of numbers; the fullest one in *${best}.
 */
static size_t
phones_by_content(const struct column_map *m, char **words, bool candidates, size_t *best)
{
	size_t most = 0, rivals = 0;
	for (size_t i = 0; i < m->n; i++)
		if ((!candidates || rank_of(words[i], COLUMN_PHONE) < NO_RANK) &&
		    m->columns[i].phones > most) {
			most = m->columns[i].phones;
			*best = i;
		}
	for (size_t i = 0; i < m->n; i++)
		if ((!candidates || rank_of(words[i], COLUMN_PHONE) < NO_RANK) && most)
			rivals += m->columns[i].phones * 4 >= most;
	return rivals;
}

static void
match_phone(struct column_map *m, char **words, const struct columns_input *in)
{
	size_t named = 0, best = m->n;
	for (size_t i = 0; i < m->n; i++)
		named += in->has_header && rank_of(words[i], COLUMN_PHONE) < NO_RANK;
	if (named == 1) {
		match_field(m, words, COLUMN_PHONE);
		m->sure = true;
		return;
	}
	size_t rivals = phones_by_content(m, words, named > 1, &best);
	if (rivals == 1 && (named > 1 || m->columns[best].phones * 2 >= in->n_samples)) {
		columns_assign(m, best, COLUMN_PHONE);
		m->sure = named > 1 || m->n == 1;
		m->doubt = m->sure ? ""
			   : in->has_header
			       ? "No header names the phone column; it was found by its content."
			       : "The file has no header row; say what its columns are.";
		return;
	}
	m->sure = false;
	m->doubt = rivals > 1 || named > 1
		       ? "Several columns hold phone numbers; choose the one to call."
		       : "No column holds phone numbers; say which one does.";
	if (named > 1)
		match_field(m, words, COLUMN_PHONE);
	else if (rivals)
		columns_assign(m, best, COLUMN_PHONE);
}

/* Keys tell columns apart: the second "notes" is "notes_2"; a field's name belongs to its own
 * column. */
static void
name_keys(struct arena *a, struct column_map *m)
{
	for (size_t i = 0; i < m->n; i++) {
		char *base = columns_key(a, m->columns[i].name);
		if (!*base)
			base = arena_printf(a, "column_%zu", i + 1);
		const char *key = base;
		for (size_t n = 2;; n++) {
			bool taken = false;
			for (size_t k = 0; k < i; k++)
				taken = taken || !strcmp(m->columns[k].key, key);
			enum column_field field;
			if (columns_field_by_name(str_of(key), &field) &&
			    field != m->columns[i].field)
				taken = taken || columns_find(m, field) < m->n;
			if (!taken)
				break;
			key = arena_printf(a, "%s_%zu", base, n);
		}
		m->columns[i].key = key;
	}
}

struct column_map *
columns_match(struct arena *a, const struct columns_input *in)
{
	struct column_map *m = arena_new_of(a, struct column_map);
	char **words = arena_new_array(a, char *, in->n);
	m->n = in->n;
	m->columns = arena_new_array(a, struct column, in->n);
	m->doubt = "";
	for (size_t i = 0; i < in->n; i++) {
		m->columns[i].name = in->names[i];
		words[i] = squeezed(a, in->has_header ? columns_key(a, in->names[i]) : "");
	}
	count_phones(m, in);
	match_phone(m, words, in);
	for (int f = COLUMN_CONTACT; f < COLUMN_IGNORE; f++)
		match_field(m, words, (enum column_field)f);
	settle_names(m, words);
	name_keys(a, m);
	return m;
}

void
columns_assign(struct column_map *m, size_t i, enum column_field field)
{
	size_t held = columns_find(m, field);
	if (field != COLUMN_ATTRIBUTE && field != COLUMN_IGNORE && held < m->n)
		m->columns[held].field = COLUMN_ATTRIBUTE;
	if (i < m->n)
		m->columns[i].field = field;
}

size_t
columns_find(const struct column_map *m, enum column_field field)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->columns[i].field == field)
			return i;
	return m->n;
}

struct str
columns_value(
    const struct column_map *m, enum column_field field, const struct str *fields, size_t n)
{
	size_t i = columns_find(m, field);
	return i < m->n && i < n ? str_trim(fields[i]) : STR("");
}

struct str
columns_contact(struct arena *a, const struct column_map *m, const struct str *fields, size_t n)
{
	struct str whole = columns_value(m, COLUMN_CONTACT, fields, n);
	struct str first = columns_value(m, COLUMN_FIRST_NAME, fields, n);
	struct str last = columns_value(m, COLUMN_LAST_NAME, fields, n);
	if (whole.n || !(first.n || last.n))
		return whole;
	if (!first.n || !last.n)
		return first.n ? first : last;
	return str_of(arena_printf(a, "%.*s %.*s", STR_ARG(first), STR_ARG(last)));
}

const char *
columns_field_name(enum column_field field)
{
	return field_names[field];
}

bool
columns_field_by_name(struct str name, enum column_field *out)
{
	for (int f = 0; f < COLUMN__MAX; f++)
		if (str_is(name, field_names[f])) {
			*out = (enum column_field)f;
			return true;
		}
	return false;
}
