#ifndef PAGES_IMPORTS_H
#define PAGES_IMPORTS_H
/* /imports: upload, columns, progress, what became of each line, undo. */
#include "http/response.h"

bool imports_list(struct request *rq, struct response *rs, struct error *e);
bool imports_show(struct request *rq, struct response *rs, struct error *e);
bool imports_errors(struct request *rq, struct response *rs, struct error *e);
bool imports_errors_csv(struct request *rq, struct response *rs, struct error *e);
/* import_acts.c */
bool imports_undo(struct request *rq, struct response *rs, struct error *e);
bool imports_cancel(struct request *rq, struct response *rs, struct error *e);
bool imports_consent(struct request *rq, struct response *rs, struct error *e);
bool imports_start(struct request *rq, struct response *rs, struct error *e);
/* import_upload.c */
bool imports_new(struct request *rq, struct response *rs, struct error *e);
bool imports_create(struct request *rq, struct response *rs, struct error *e);
/** POST /api/upload-leads: waits for the end of the job. */
bool imports_upload(struct request *rq, struct response *rs, struct error *e);
/* import_mapping.c */
bool imports_mapping(struct request *rq, struct response *rs, struct error *e);
bool imports_map(struct request *rq, struct response *rs, struct error *e);

#endif
