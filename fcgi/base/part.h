#ifndef BASE_PART_H
#define BASE_PART_H
/*
 * XML parts inside a ZIP package (.xlsx), read as a stream and treated as hostile: no network, no
 * DTD, no entities of the document's own, and limits on what a part may unpack to, because 1 KB of
 * deflate can become 1 MB.
 */
#include <libxml/xmlreader.h>

#include "base/str.h"

#define PART_MAX (INT64_C(3) << 30) /* bytes of XML in one part */
#define PART_RATIO_MAX 300          /* unpacked to packed, once past PART_RATIO_FROM */
#define PART_RATIO_FROM (INT64_C(4) << 20)
#define PART_ENTRIES_MAX 2000

struct part;

/**
 * Opens the part ${name} ("xl/workbook.xml") of the file ${path}. NULL with e->kind ERR_NOT_FOUND
 * where there is none, ERR_INVALID where the package is damaged. Closed with ${a} or part_close.
 */
struct part *part_open(
    struct arena *a, const char *path, const char *name, struct error *e) MUST_USE;
void part_close(struct part *p);
/** The next node: 1; the end: 0; damage or a limit: -1 with ${e} filled. */
int part_read(struct part *p, struct error *e) MUST_USE;
/** The reader, to look at the node. */
xmlTextReaderPtr part_xml(struct part *p);
/** How much of the part was read, from 0 to 1. */
double part_progress(const struct part *p);
/** The attribute's value, freed with part_free_text; NULL where absent. */
char *part_attribute(struct part *p, const char *local_name);
void part_free_text(char *text);
/** The attribute as a number, or ${otherwise}; whether it is ${value} in any case. */
int64_t part_attribute_int(struct part *p, const char *local_name, int64_t otherwise);
bool part_attribute_is(struct part *p, const char *local_name, const char *value);
/** What the node is. */
bool part_is_element(struct part *p, const char *local_name);
bool part_is_end(struct part *p, const char *local_name);
bool part_is_text(struct part *p);
bool part_is_empty(struct part *p); /* <v/> */

#endif
