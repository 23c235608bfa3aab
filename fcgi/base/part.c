#include "base/part.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

struct part {
	struct archive *zip;
	xmlTextReaderPtr xml;
	int64_t packed; /* size of the whole package */
	int64_t size;   /* of the part as declared, 0 where unknown */
	int64_t done;
	const char *trouble; /* why reading stopped */
};

static const char damaged_file[] = "The file is damaged or incomplete: it cannot be unpacked.";
static const char bomb[] =
    "The file unpacks to far more than a list of leads could be; it is refused.";
static const char dtd[] =
    "The file contains a document type or entities, which no spreadsheet has.";
static const char broken_xml[] = "The file is damaged: its inside is not well-formed.";

void
part_close(struct part *p)
{
	if (p->xml)
		xmlFreeTextReader(p->xml);
	if (p->zip)
		archive_read_free(p->zip);
	p->xml = NULL;
	p->zip = NULL;
}

static void
close_deferred(void *p)
{
	part_close(p);
}

static int
read_bytes(void *ctx, char *out, int n)
{
	struct part *p = ctx;
	if (n <= 0 || p->trouble)
		return p->trouble ? -1 : 0;
	la_ssize_t got = archive_read_data(p->zip, out, (size_t)n);
	if (got < 0) {
		p->trouble = damaged_file;
		return -1;
	}
	p->done += got;
	if (p->done > PART_MAX ||
	    (p->done > PART_RATIO_FROM && p->done / PART_RATIO_MAX > p->packed)) {
		p->trouble = bomb;
		return -1;
	}
	return (int)got;
}

static bool
find_entry(struct part *p, const char *name, struct error *e)
{
	struct archive_entry *entry;
	for (int i = 0; i < PART_ENTRIES_MAX; i++) {
		int r = archive_read_next_header(p->zip, &entry);
		if (r == ARCHIVE_EOF)
			return error_set(e, ERR_NOT_FOUND, "The file has no part %s.", name);
		if (r < ARCHIVE_WARN)
			return error_set(e, ERR_INVALID, "%s", damaged_file);
		const char *path = archive_entry_pathname(entry);
		if (!path || strcmp(path, name) != 0)
			continue;
		if (archive_entry_is_encrypted(entry))
			return error_set(e, ERR_INVALID, "The file is protected by a password.");
		p->size = archive_entry_size_is_set(entry) ? archive_entry_size(entry) : 0;
		return true;
	}
	return error_set(e, ERR_INVALID, "%s", bomb);
}

static void
be_quiet(
    void *ctx, const char *message, xmlParserSeverities severity, xmlTextReaderLocatorPtr where)
{
	(void)ctx, (void)message, (void)severity, (void)where; /* part_read tells it in our words */
}

struct part *
part_open(struct arena *a, const char *path, const char *name, struct error *e)
{
	struct part *p = arena_new_of(a, struct part);
	struct stat st;
	arena_defer(a, close_deferred, p);
	p->zip = archive_read_new();
	if (!p->zip || stat(path, &st) != 0 ||
	    archive_read_support_format_zip_seekable(p->zip) != ARCHIVE_OK ||
	    archive_read_open_filename(p->zip, path, 65536) != ARCHIVE_OK) {
		error_set(e, ERR_INVALID, "%s", damaged_file);
		return NULL;
	}
	p->packed = st.st_size;
	if (!find_entry(p, name, e))
		return NULL;
	p->xml = xmlReaderForIO(read_bytes, NULL, p, NULL, NULL,
	    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (!p->xml) {
		error_set(e, ERR_INVALID, "%s", p->trouble ? p->trouble : broken_xml);
		return NULL;
	}
	xmlTextReaderSetErrorHandler(p->xml, be_quiet, NULL);
	return p;
}

int
part_read(struct part *p, struct error *e)
{
	int r = xmlTextReaderRead(p->xml);
	int type = r == 1 ? xmlTextReaderNodeType(p->xml) : 0;
	if (type == XML_READER_TYPE_DOCUMENT_TYPE || type == XML_READER_TYPE_ENTITY_REFERENCE)
		p->trouble = dtd;
	if (r >= 0 && !p->trouble)
		return r;
	error_set(e, ERR_INVALID, "%s", p->trouble ? p->trouble : broken_xml);
	return -1;
}

xmlTextReaderPtr
part_xml(struct part *p)
{
	return p->xml;
}

double
part_progress(const struct part *p)
{
	return p->size > 0 && p->done < p->size ? (double)p->done / (double)p->size : 1.0;
}

char *
part_attribute(struct part *p, const char *local_name)
{
	xmlChar *value = xmlTextReaderGetAttribute(p->xml, (const xmlChar *)local_name);
	if (value || !xmlTextReaderHasAttributes(p->xml))
		return (char *)value;
	/* r:id and the like: the prefix is the document's own choice */
	while (xmlTextReaderMoveToNextAttribute(p->xml) == 1)
		if (!value &&
		    !strcmp((const char *)xmlTextReaderConstLocalName(p->xml), local_name))
			value = xmlTextReaderValue(p->xml);
	xmlTextReaderMoveToElement(p->xml);
	return (char *)value;
}

void
part_free_text(char *text)
{
	xmlFree(text);
}

bool
part_is_element(struct part *p, const char *local_name)
{
	return xmlTextReaderNodeType(p->xml) == XML_READER_TYPE_ELEMENT &&
	       !strcmp((const char *)xmlTextReaderConstLocalName(p->xml), local_name);
}

int64_t
part_attribute_int(struct part *p, const char *name, int64_t otherwise)
{
	int64_t v;
	char *text = part_attribute(p, name);
	if (!text || !str_to_int(str_of(text), &v))
		v = otherwise;
	part_free_text(text);
	return v;
}

bool
part_attribute_is(struct part *p, const char *name, const char *value)
{
	char *text = part_attribute(p, name);
	bool same = text && !strcasecmp(text, value);
	part_free_text(text);
	return same;
}

bool
part_is_text(struct part *p)
{
	int type = xmlTextReaderNodeType(p->xml);
	return type == XML_READER_TYPE_TEXT || type == XML_READER_TYPE_CDATA ||
	       type == XML_READER_TYPE_WHITESPACE || type == XML_READER_TYPE_SIGNIFICANT_WHITESPACE;
}

bool
part_is_end(struct part *p, const char *name)
{
	return xmlTextReaderNodeType(p->xml) == XML_READER_TYPE_END_ELEMENT &&
	       !strcmp((const char *)xmlTextReaderConstLocalName(p->xml), name);
}

bool
part_is_empty(struct part *p)
{
	return xmlTextReaderIsEmptyElement(p->xml) == 1;
}
