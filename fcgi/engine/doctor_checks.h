#ifndef ENGINE_DOCTOR_CHECKS_H
#define ENGINE_DOCTOR_CHECKS_H
/* What doctor.c and its checks share. */
#include "engine/doctor.h"
#include "net/peek.h"

struct patient {
	const struct config *config;
	struct db *db;
	const struct error *away; /* why there is no database */
	struct arena *a;
	const char *mend; /* of the check that is under way */
	/* Our own site, looked at once. */
	bool looked, site_there;
	struct peek site;
	struct error site_away;
};

/* Each check answers NULL where all is well, else what is wrong, with p->mend saying what to do. */
typedef const char *check(struct patient *p);

/** Sets the mend; returns ${finding}. */
const char *doctor_finding(struct patient *p, const char *mend, const char *finding);

/* Of the machine (doctor_host.c). */
check doctor_disk, doctor_certificate, doctor_clock_set, doctor_sockets, doctor_nginx,
    doctor_permissions, doctor_spool, doctor_mail;
/* Of PostgreSQL (doctor_server.c). */
check doctor_clocks, doctor_postgresql, doctor_zones, doctor_sealed, doctor_backup;

#endif
