#include "pages/events.h"

#include "base/log.h"
#include "store/db.h"

bool
events_open(struct request *rq, struct response *rs, struct error *e)
{
	(void)e;
	return stream_open(rq, rs);
}

bool
events_news(void *ctx)
{
	static const struct db *heard; /* the connection that listens already */
	struct app *app = ctx;
	struct error e = {0};
	if (!app->refresh(app, &e))
		return false;
	if (app->db != heard) {
		if (!db_listen(app->db, "live", &e)) {
			log_warn("listen", LOG_TEXT("why", e.message));
			return false;
		}
		heard = app->db;
	}
	return db_notified(app->db);
}

int
events_socket(void *ctx)
{
	const struct app *app = ctx;
	return app->db ? db_socket(app->db) : -1;
}
