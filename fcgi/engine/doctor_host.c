/* What the doctor looks at on the machine itself. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/doctor_checks.h"
#include "engine/host.h"

const char *
doctor_disk(struct patient *p)
{
	struct host_disk disks[HOST_DISKS];
	size_t n = host_disks(p->config, disks);
	for (size_t i = 0; i < n; i++)
		if (disks[i].free < p->config->disk_low_mb * 1000000)
			return doctor_finding(p,
			    "Make room: old logs (journalctl --vacuum-size=500M), old backups, then "
			    "trunkline retention. Or take a larger disk. DISK_LOW_MB says what is little.",
			    arena_printf(p->a, "only %s of %s are free on the disk of %s.",
				host_bytes(p->a, disks[i].free), host_bytes(p->a, disks[i].total),
				disks[i].path));
	return NULL;
}

static const struct peek *
site(struct patient *p)
{
	if (!p->looked)
		p->site_there = host_site(p->config, p->a, &p->site, &p->site_away);
	p->looked = true;
	return p->site_there ? &p->site : NULL;
}

const char *
doctor_nginx(struct patient *p)
{
	const struct peek *seen = site(p);
	if (!seen)
		return doctor_finding(p,
		    "nginx -t && systemctl restart nginx; then journalctl -u nginx -n 20",
		    arena_printf(p->a, "%s does not answer: %s.", p->config->base_url,
			p->site_away.message));
	if (seen->status != 200)
		return doctor_finding(p,
		    "Something else answers there, or the pools are down: systemctl status 'trunkline-web@*'",
		    arena_printf(p->a, "%s/health answers with status %d.", p->config->base_url,
			seen->status));
	return NULL;
}

const char *
doctor_certificate(struct patient *p)
{
	static const char mend[] =
	    "certbot renew && systemctl reload nginx; systemctl status certbot.timer";
	const struct peek *seen = site(p);
	if (!seen)
		return NULL; /* said by nginx's check */
	int64_t left = host_certificate_days(seen);
	if (left < HOST_CERTIFICATE_DAYS)
		return doctor_finding(p, mend,
		    arena_printf(p->a, "it is good for %lld more days only.", (long long)left));
	if (!seen->trusted && !p->config->sandbox)
		return doctor_finding(p,
		    "Get one: certbot certonly --webroot, see trunkline setup. The provider refuses this one.",
		    "nobody trusts it: it is self-signed, or for another name.");
	return NULL;
}

const char *
doctor_clock_set(struct patient *p)
{
	if (host_clock_set())
		return NULL;
	return doctor_finding(p,
	    "timedatectl set-ntp true (package systemd-timesyncd or chrony). In a container the host does it.",
	    "nobody sets this machine's clock. Calling hours and signatures depend on it.");
}

const char *
doctor_sockets(struct patient *p)
{
	struct buf missing;
	buf_init(&missing, p->a);
	for (int i = 0; host_sockets[i]; i++)
		if (!host_listens(p->config, p->a, host_sockets[i]))
			buf_printf(&missing, "%s%s", missing.n ? ", " : "", host_sockets[i]);
	if (!missing.n)
		return NULL;
	return doctor_finding(p,
	    "systemctl start trunkline.target, as root or the service's user; RUN_DIR says where they are.",
	    arena_printf(p->a, "nobody listens at %s in %s.", missing.p, p->config->run_dir));
}

static const char *
too_open(struct patient *p, const char *path, mode_t closed)
{
	struct stat st;
	if (!path || stat(path, &st) != 0 || !(st.st_mode & closed))
		return NULL;
	return doctor_finding(p,
	    arena_printf(p->a, "chmod %s %s", closed == 077 ? "go=" : "o=", path),
	    arena_printf(
		p->a, "%s can be read by others (mode %o).", path, (unsigned)(st.st_mode & 0777)));
}

const char *
doctor_permissions(struct patient *p)
{
	const char *state = p->config->state_dir;
	const struct {
		const char *path;
		mode_t closed;
	} all[] = {{state, 07}, {arena_printf(p->a, "%s/spool", state), 07},
	    {p->config->backup_dir, 07}, {arena_printf(p->a, "%s/secret-key", state), 077},
	    {arena_printf(p->a, "%s/tls/key.pem", state), 07}, {p->config->run_dir, 07},
	    {"/etc/trunkline/trunkline.env", 07}, {"/etc/trunkline/site.env", 07},
	    {"/etc/trunkline/keys", 07}};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const char *wrong = too_open(p, all[i].path, all[i].closed);
		if (wrong)
			return wrong;
	}
	return NULL;
}

const char *
doctor_spool(struct patient *p)
{
	const char *path = arena_printf(p->a, "%s/spool/.doctor", p->config->state_dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return doctor_finding(p,
		    "It belongs to the service's user; run the doctor as that user.",
		    arena_printf(p->a, "%s/spool cannot be written: %s.", p->config->state_dir,
			strerror(errno)));
	close(fd);
	unlink(path);
	return NULL;
}

const char *
doctor_mail(struct patient *p)
{
	const char *to = p->config->alert_email;
	if (!to || !*to || access(p->config->sendmail, X_OK) == 0)
		return NULL;
	return doctor_finding(p, "apt-get install msmtp-mta (or postfix), or set SENDMAIL.",
	    arena_printf(p->a, "alerts go to %s, but %s cannot be run.", p->config->alert_email,
		p->config->sendmail));
}
