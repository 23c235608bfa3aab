#!/bin/bash
# shellcheck disable=SC2016 # texts quote commands in backticks
# trunkline setup: makes a machine serve the product. A straight story from the user to the certificate; each
# step looks first and acts only where something is missing, so a second run changes nothing, and --check only
# tells. What it decides is written to site.env; what people decide is in trunkline.env, which it never
# touches.
set -euo pipefail
shopt -s lastpipe # `… | put` counts what it changed
umask 022
lib=/usr/lib/trunkline
share=/usr/share/trunkline
trunkline=/usr/bin/trunkline
# Where it is installed and files are put, for tests and images (with --files).
root=${TRUNKLINE_ROOT:-}
etc=$root/etc/trunkline
run=/run/trunkline
nginx_etc=$root/etc/nginx
usage='Usage: trunkline setup --domain app.example.com [options]

  --domain NAME         the public name; may be left out once it was said
  --email ADDRESS       who signs in first (admin@NAME)
  --proxy ADDRESS/BITS  a proxy in front whose X-Forwarded-For is believed; may be said again. --proxy none
                        forgets all
  --live                do not play the telephone world although there is no key: it comes under Settings
  --sandbox             play it although there is one
  --yes                 install missing packages without asking
  --no-nginx-reload     write and test the site, leave nginx as it runs
  --files               only write the files; users, database and services are somebody else'\''s matter
  --check               change nothing; say what would be done, and fail where there is something'

die() { printf 'trunkline setup: %s\n' "$*" >&2; exit 1; }
say() { printf '%s\n' "$*"; }

# --- what is wanted --------------------------------------------------------------------------------
domain='' email='' yes='' check='' only_files='' reload_nginx=1 mode='' proxies=()
while [ $# -gt 0 ]; do
	case "$1" in
	--domain | --email | --proxy)
		[ $# -gt 1 ] || die "$1 wants a value."
		case "$1" in --domain) domain=${2,,} ;; --email) email=$2 ;; --proxy) proxies+=("$2") ;; esac
		shift
		;;
	--live) mode=0 ;;
	--sandbox) mode=1 ;;
	--yes) yes=1 ;;
	--no-nginx-reload) reload_nginx='' ;;
	--files) only_files=1 ;;
	--check) check=1 ;;
	--help) say "$usage"; exit 0 ;;
	*) say "$usage" >&2; exit 2 ;;
	esac
	shift
done
kept() { # NAME: what an earlier run wrote
	[ ! -r "$etc/site.env" ] || sed -n "s/^$1=//p" "$etc/site.env" | head -1
}
[ -n "$domain" ] || { domain=$(kept BASE_URL); domain=${domain#https://}; }
[ -n "$domain" ] || die "which name? trunkline setup --domain app.example.com"
[[ $domain =~ ^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$ && ${#domain} -le 253 ]] ||
	die "\"$domain\" is not a name such as app.example.com."
: "${email:=admin@$domain}"
[[ $email =~ ^[^[:space:]@]+@[^[:space:]@]+$ ]] || die "\"$email\" is not an e-mail address."
if [ ${#proxies[@]} -eq 0 ]; then read -r -a proxies <<< "$(kept TRUSTED_PROXIES)"; fi
[ "${proxies[*]:-}" != none ] || proxies=()
for proxy in "${proxies[@]}"; do
	[[ $proxy =~ ^[0-9a-fA-F:.]+(/[0-9]{1,3})?$ ]] || die "\"$proxy\" is not an address such as 10.0.0.0/8."
done
[ -n "$only_files" ] || [ "$(id -u)" = 0 ] || die "only root may do this: sudo trunkline setup …"
[ -n "$only_files" ] || [ -d /run/systemd/system ] || die "this machine does not run systemd; see --files."

# A database on another host: made, backed up and kept there. The services are then let into the network.
remote=
address=$(sed -n 's/^DATABASE_URL=//p' "$etc/trunkline.env" 2> /dev/null | tail -1)
[[ $address != *://[^/]* && $address != *host=[^/]* ]] || remote=1

# --- how steps are done ----------------------------------------------------------------------------
done_steps=0
# step WHAT LOOK ACT: ACT where LOOK does not hold; and it must hold then.
step() {
	if "$2"; then return 0; fi
	done_steps=$((done_steps + 1))
	if [ -n "$check" ]; then say "would: $1"; return 0; fi
	say "$1"
	"$3" || die "this did not succeed: $1"
	"$2" || die "this did not last: $1"
}
changed=()
# put FILE MODE GROUP: standard input becomes the file, in one piece, where it differs.
put() {
	local new file=$1
	new=$(mktemp)
	cat > "$new"
	if [ -f "$file" ] && cmp -s "$new" "$file"; then rm -f "$new"; return 0; fi
	done_steps=$((done_steps + 1))
	changed+=("$file")
	if [ -n "$check" ]; then say "would: write $file"; rm -f "$new"; return 0; fi
	say "write $file"
	mkdir -p "${file%/*}"
	install -m "$2" "$new" "$file.new"
	rm -f "$new"
	if [ -n "$3" ] && [ -z "$only_files" ]; then chgrp "$3" "$file.new"; fi
	mv -f "$file.new" "$file"
}
has_changed() { # PATTERN
	local file
	# shellcheck disable=SC2053 # it is a pattern
	for file in "${changed[@]:-}"; do [[ $file != $1 ]] || return 0; done
	return 1
}
secret() { # NAME: made once
	[ -s "$etc/keys/$1" ] || openssl rand -hex 32 | put "$etc/keys/$1" 0640 trunkline
}

# --- packages, user, folders -----------------------------------------------------------------------
missing_packages() {
	local pair missing=()
	for pair in nginx multiwatch openssl logrotate psql:postgresql-client setpriv:util-linux; do
		PATH=$PATH:/usr/sbin command -v "${pair%%:*}" > /dev/null || missing+=("${pair#*:}")
	done
	[ -n "$remote" ] || compgen -G '/usr/lib/postgresql/*/bin/postgres' > /dev/null || missing+=(postgresql)
	printf '%s' "${missing[*]:-}"
}
packages_are_there() { [ -z "$(missing_packages)" ]; }
install_packages() {
	local answer missing
	read -r -a missing <<< "$(missing_packages)"
	command -v apt-get > /dev/null || { say "Please install: ${missing[*]}" >&2; return 1; }
	if [ -z "$yes" ]; then
		[ -t 0 ] || { say "Please install them, or say --yes." >&2; return 1; }
		read -r -p "Install ${missing[*]} now? [Y/n] " answer
		[[ ${answer:-y} == [yY]* ]] || return 1
	fi
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 install \
		--no-install-recommends "${missing[@]}"
}
user_is_there() { id trunkline > /dev/null 2>&1; }
make_user() { systemd-sysusers trunkline.conf; }
folders=("/var/lib/trunkline/spool trunkline" "/run/trunkline trunkline" "/var/www/trunkline root"
	"/etc/trunkline/keys root" "/var/backups/trunkline postgres")
folders_are_there() {
	local pair
	for pair in "${folders[@]}"; do
		[ -z "$remote" ] || [ "${pair#* }" != postgres ] || continue
		[ -d "${pair% *}" ] && [ "$(stat -c %U "${pair% *}")" = "${pair#* }" ] || return 1
	done
	[ "$(stat -c %G "$etc/trunkline.env")" = trunkline ]
}
make_folders() { systemd-tmpfiles --create trunkline.conf; }

# --- settings and keys -----------------------------------------------------------------------------
write_settings() {
	local api_key name
	secret SECRET_KEY
	for name in ADMIN_TOKEN BLAND_API_KEY BLAND_WEBHOOK_SECRET METRICS_TOKEN ALERT_WEBHOOK; do
		[ -e "$etc/keys/$name" ] || : | put "$etc/keys/$name" 0640 trunkline
	done
	api_key=$(cat "$etc/keys/BLAND_API_KEY" 2> /dev/null || true)
	# Said now, else said before, else: is there a key?
	if [ -z "$mode" ] && [ "$(kept SANDBOX)" = 0 ]; then mode=0; fi
	if [ -z "$mode" ]; then if [ -n "$api_key" ]; then mode=0; else mode=1; fi; fi
	{
		say '# Written by `trunkline setup`, which replaces it. What shall differ belongs into trunkline.env.'
		say "BASE_URL=https://$domain"
		say "TRUSTED_PROXIES=${proxies[*]:-}"
		say "SANDBOX=$mode"
		if [ "$mode" = 1 ]; then
			local token
			token=$(kept SANDBOX_WEBHOOK_SECRET)
			[ -n "$token" ] || token=$(openssl rand -hex 32)
			say "SANDBOX_PORT=8610"
			say "SANDBOX_WEBHOOK_SECRET=$token"
			say "BLAND_API_KEY=sandbox"
			say "BLAND_WEBHOOK_SECRET=$token"
			say "BLAND_BASE_URL=http://127.0.0.1:8610"
			say "CALLBACK_URL=http://localhost/webhooks/bland"
		fi
	} | put "$etc/site.env" 0640 trunkline
}

let_into_network() {
	local file=$root/etc/systemd/system/trunkline-.service.d/20-remote-database.conf
	if [ -n "$remote" ]; then
		{
			say '# Written by `trunkline setup`, since DATABASE_URL names another host.'
			printf '%s\n' '[Service]' PrivateNetwork=no IPAddressDeny= \
				'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6'
		} | put "$file" 0644 ''
	elif [ -e "$file" ]; then
		done_steps=$((done_steps + 1))
		if [ -n "$check" ]; then say "would: remove $file"; else rm -f "$file"; changed+=("$file"); fi
	fi
}

# --- the certificate -------------------------------------------------------------------------------
# certbot's, once it is there; until then one that we sign ourselves.
choose_certificate() {
	cert=$root/etc/letsencrypt/live/$domain/fullchain.pem key=$root/etc/letsencrypt/live/$domain/privkey.pem
	self_signed=
	if [ ! -s "$cert" ]; then cert=$etc/tls/cert.pem key=$etc/tls/key.pem self_signed=1; fi
}
certificate_holds() {
	[ -z "$self_signed" ] || { [ -s "$key" ] &&
		openssl x509 -in "$cert" -noout -checkend 2592000 > /dev/null 2>&1 &&
		openssl x509 -in "$cert" -noout -checkhost "$domain" | grep -q 'does match'; }
}
sign_certificate() {
	mkdir -p "$etc/tls"
	(umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 397 \
		-keyout "$key" -out "$cert" -subj "/CN=$domain" -addext "keyUsage=critical,digitalSignature" \
		-addext "extendedKeyUsage=serverAuth" -addext "basicConstraints=critical,CA:FALSE" \
		-addext "subjectAltName=DNS:$domain,DNS:localhost" 2> /dev/null) || return 1
	chmod 0644 "$cert"
	changed+=("$cert")
}

# --- nginx -----------------------------------------------------------------------------------------
choose_site() {
	site=$nginx_etc/sites-available/trunkline.conf link=$nginx_etc/sites-enabled/trunkline.conf
	if [ ! -d "${link%/*}" ]; then site=$nginx_etc/conf.d/trunkline.conf link=$site; fi
}
write_site() {
	local file target
	for file in "$root$share"/nginx/*.conf; do
		case "${file##*/}" in
		run.conf) continue ;; # the whole of nginx, for a desk
		trunkline.conf) target=$site ;;
		*) target=$nginx_etc/trunkline/${file##*/} ;;
		esac
		sed -e "s|@RUN@|$run|g; s|@LOG@|/var/log/nginx|g; s|@ACCESS_LOG@|$root/var/log/nginx/trunkline.log|g" \
			-e "s|@STATIC@|$share/static|g; s|@SNIPPETS@|$nginx_etc/trunkline|g; s|@HTTP_PORT@|80|g" \
			-e "s|@HTTPS_PORT@|443|g; s|@HTTPS_SUFFIX@||g; s|@SERVER_NAME@|$domain localhost|g" \
			-e "s|@ACME@|/var/www/trunkline|g; s|@CERT@|$cert|g; s|@KEY@|$key|g" "$file" |
			if [ -e /proc/net/if_inet6 ]; then cat; else sed '/listen \[::\]/d'; fi |
			put "$target" 0644 ''
	done
	{
		say '# Written by `trunkline setup --proxy`: whose word about the client'\''s address is taken.'
		for proxy in "${proxies[@]}"; do say "set_real_ip_from $proxy;"; done
		if [ ${#proxies[@]} -gt 0 ]; then say 'real_ip_header X-Forwarded-For;'; say 'real_ip_recursive on;'; fi
	} | put "$nginx_etc/trunkline/local-proxies.conf" 0644 ''
	{
		say '# Written by `trunkline setup`: stapling, where the certificate names somebody who can be asked.'
		if [ -z "$self_signed" ] && openssl x509 -in "$cert" -noout -ocsp_uri | grep -q http; then
			say 'ssl_stapling on;'
			say 'ssl_stapling_verify on;'
		fi
	} | put "$nginx_etc/trunkline/local-stapling.conf" 0644 ''
}
site_is_enabled() { [ -e "$link" ]; }
enable_site() { ln -s ../sites-available/trunkline.conf "$link"; }
keep_site() {
	before=$(mktemp -d)
	trap 'rm -rf "$before"' EXIT
	cp -a "$site" "$nginx_etc/trunkline" "$before" 2> /dev/null || true
}
# What nginx refuses must not be found by its next start.
test_site() {
	! /usr/sbin/nginx -t -q || return 0
	rm -rf "$nginx_etc/trunkline"
	if [ -e "$before/trunkline.conf" ]; then
		cp -a "$before/trunkline.conf" "$site"
		cp -a "$before/trunkline" "$nginx_etc/"
	else
		rm -f "$link" "$site"
	fi
	die "nginx refuses its configuration (above). It was put back to what it was."
}
nginx_runs() { systemctl is-active -q nginx.service; }
start_nginx() { systemctl enable -q nginx.service; systemctl start nginx.service; }

# --- database and first user -----------------------------------------------------------------------
postgresql_runs() { pg_isready -q -h /run/postgresql; }
start_postgresql() {
	systemctl enable -q postgresql.service
	systemctl start postgresql.service
	for ((n = 0; n < 300; n++)); do ! postgresql_runs || return 0; sleep 0.1; done
	return 1
}
as_postgres() { (cd / && setpriv --reuid=postgres --regid=postgres --init-groups "$@"); }
database_is_there() {
	local found
	found=$(as_postgres psql -XAtq -d postgres -c "select count(*) from pg_database
		where datname = 'trunkline' and pg_get_userbyid(datdba) = 'trunkline_owner'
		and exists (select from pg_roles where rolname = 'trunkline')" 2> /dev/null) && [ "$found" = 1 ]
}
make_database() { "$trunkline" database init; }
migrate() {
	local told
	told=$("$trunkline" migrate) || die "the schema could not be brought up to date."
	[[ $told != "0 migrations and 0 "* ]] || return 0
	done_steps=$((done_steps + 1))
	say "$told"
}
somebody_can_sign_in() { [ -n "$("$trunkline" user list 2> /dev/null)" ]; }
add_admin() {
	password=$("$trunkline" user add "$email" --role admin | sed -n 's/^Password: //p')
	[ -n "$password" ]
}

# --- services --------------------------------------------------------------------------------------
target_is_enabled() { systemctl is-enabled -q trunkline.target 2> /dev/null; }
enable_target() { systemctl daemon-reload && systemctl enable -q trunkline.target; }
everything_runs() {
	local unit
	for unit in trunkline.target trunkline-{web,hook}@{a,b}.{socket,service} trunkline-stream.{socket,service} \
		trunkline-{dialer,watch,rollup,retention,backup,backup-check}.timer trunkline-jobs.service; do
		[ -z "$remote" ] || [[ $unit != *backup* ]] || continue
		systemctl is-active -q "$unit" || return 1
	done
}
start_everything() {
	if [ -n "$remote" ]; then systemctl -q mask trunkline-backup.timer trunkline-backup-check.timer; fi
	systemctl daemon-reload
	systemctl start trunkline.target
	for unit in $(systemctl show -p Wants --value trunkline.target); do
		[ "$(systemctl is-enabled "$unit" 2> /dev/null)" = masked ] || systemctl start "$unit" || return 1
	done
}
answers() {
	local pool
	for pool in web-a web-b hook-a hook-b stream; do
		"$lib/trunkline" ping "$run/$pool.sock" --wait 30 || return 1
	done
}

# --- the story -------------------------------------------------------------------------------------
if [ -z "$only_files" ]; then
	step "install packages: $(missing_packages)" packages_are_there install_packages
	step "make the user trunkline" user_is_there make_user
	step "make the folders" folders_are_there make_folders
fi
write_settings
let_into_network
choose_certificate
step "sign a certificate for $domain, until certbot brings a real one" certificate_holds sign_certificate
choose_site
[ -n "$check" ] || keep_site
write_site
step "enable the site" site_is_enabled enable_site
if [ -n "$only_files" ]; then
	[ -z "$check" ] || [ "$done_steps" = 0 ] || exit 1
	[ "$done_steps" != 0 ] || say "Nothing to do."
	exit 0
fi
if [ -z "$remote" ]; then
	step "start PostgreSQL" postgresql_runs start_postgresql
	step "make the database and its roles" database_is_there make_database
fi
[ -n "$check" ] || migrate
step "add the first user, $email" somebody_can_sign_in add_admin
step "let trunkline.target start with the machine" target_is_enabled enable_target
started=
if ! everything_runs; then started=1; fi
step "start everything" everything_runs start_everything
if [ -z "$check" ]; then
	test_site
	if [ -n "$reload_nginx" ]; then
		step "start nginx" nginx_runs start_nginx
		if has_changed "$nginx_etc/*" || has_changed "$cert"; then systemctl reload nginx.service; fi
	fi
	if [ -z "$started" ] && { has_changed "$etc/*.env" || has_changed "$etc/keys/*" ||
		has_changed "*.service.d/*"; }; then
		"$trunkline" reload
	fi
	answers || die "it was started and does not answer; journalctl -u 'trunkline-*' -n 50"
fi
if [ "$done_steps" = 0 ]; then say "Nothing to do: https://$domain is served."; exit 0; fi
[ -z "$check" ] || exit 1

# --- what is left ----------------------------------------------------------------------------------
here=$(hostname -I 2> /dev/null || true)
read -r -a here <<< "$here"
say ''
say "Trunkline serves https://$domain"
if [ -n "${password:-}" ]; then
	say "Sign in as:  $email"
	say "Password:    $password   (shown this once; change it under Account)"
fi
left=()
pointed=
for address in $(getent ahosts "$domain" 2> /dev/null | awk '{ print $1 }' | sort -u); do
	[[ " ${here[*]:-} " != *" $address "* ]] || pointed=1
done
[ -n "$pointed" ] || left+=("Point the name here, where you registered it: an A (and AAAA) record of $domain
     with ${here[*]:-the address of this machine}")
if [ -n "$self_signed" ]; then
	left+=("Get a certificate, when the name points here:
     apt-get install certbot
     certbot certonly --webroot -w /var/www/trunkline -d $domain \\
         --deploy-hook 'trunkline setup --yes && systemctl reload nginx'")
fi
if [ "$mode" = 1 ]; then
	left+=("Until then the sandbox plays the telephone world and nobody is called. To call for real, put the key
     and the webhook's signing secret into $etc/keys/BLAND_API_KEY and
     $etc/keys/BLAND_WEBHOOK_SECRET, then: trunkline setup")
fi
if [ ${#left[@]} -gt 0 ]; then
	say ''
	say 'What is left:'
	for ((n = 0; n < ${#left[@]}; n++)); do say "  $((n + 1)). ${left[n]}"; done
fi
