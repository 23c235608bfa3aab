#!/bin/bash
# Starts the whole product in the foreground, as systemd does on a server: private PostgreSQL, pools, dialer,
# jobs, nginx with TLS and, while there is no real key, the sandbox. INT or TERM stops all of it.
# Usage: run.sh BUILD STATE   (settings by environment and .env; see README.md)
set -euo pipefail
umask 027

say() { printf '%s\n' "$*"; }
die() { printf 'trunkline: %s\n' "$*" >&2; exit 1; }

# --- where things are ------------------------------------------------------------------------------
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build=$1 state=$2
pg_bin=$(ls -d /usr/lib/postgresql/15/bin 2>/dev/null) ||
	die "PostgreSQL 15 is missing. Run: make prerequisites"
: "${HTTPS_PORT:=8443}" "${HTTP_PORT:=8080}" "${WEB_WORKERS:=4}" "${HOOK_WORKERS:=2}" "${SANDBOX:=}"

# PostgreSQL refuses to run as root, so root hands everything over to its user. That user must be able to
# enter the folder; one below /root it is not, and then the data lives under /var/lib.
if [ "$(id -u)" = 0 ] && [ -z "${TRUNKLINE_DATA:-}" ]; then
	mkdir -p "$state"
	state=$(cd "$state" && pwd -P)
	export TRUNKLINE_STATE=$state TRUNKLINE_DATA=$state
	chown postgres: "$state"
	if ! setpriv --reuid=postgres --regid=postgres --init-groups test -w "$state"; then
		TRUNKLINE_DATA=/var/lib/trunkline-run/$(printf %s "$state" | sha256sum | cut -c1-12)
		mkdir -p "$TRUNKLINE_DATA"
		say "$state cannot be entered by PostgreSQL's user; the data is in $TRUNKLINE_DATA."
	fi
	app=$TRUNKLINE_DATA/app
else
	mkdir -p "$state"
	state=$(cd "$state" && pwd -P)
	: "${TRUNKLINE_STATE:=$state}" "${TRUNKLINE_DATA:=$state}"
	app=$TRUNKLINE_DATA/app
fi

# What runs is a copy: a build or an edit in the checkout changes nothing until the next start.
if [ -z "${TRUNKLINE_INSTALLED:-}" ]; then
	mkdir -p "$TRUNKLINE_DATA"
	[ ! -e "$TRUNKLINE_DATA/run/lock" ] || flock -n "$TRUNKLINE_DATA/run/lock" true ||
		die "this STATE ($state) is in use by another run."
	rm -rf "$app"
	mkdir -p "$app"
	cp "$build"/trunkline "$build"/trunkline-web "$build"/trunkline-dialer "$build"/trunkline-sandbox \
		"$build"/trunkline-late.so "$app/"
	cp -r "$checkout/templates" "$checkout/sql" "$checkout/nginx" "$build/static" "$app/"
	cp "$checkout/systemd/run.sh" "$checkout/systemd/settings.sh" "$app/"
	if [ -f "$checkout/.env" ]; then cp "$checkout/.env" "$app/.env"; fi
	export TRUNKLINE_INSTALLED=1 TRUNKLINE_STATE TRUNKLINE_DATA
	export HTTPS_PORT HTTP_PORT WEB_WORKERS HOOK_WORKERS SANDBOX
	if [ "$(id -u)" = 0 ]; then
		chown -R postgres: "$TRUNKLINE_DATA"
		cd /
		exec setpriv --reuid=postgres --regid=postgres --init-groups \
			env HOME="$TRUNKLINE_DATA" bash "$app/run.sh" "$build" "$state"
	fi
fi

data=$TRUNKLINE_DATA log=$TRUNKLINE_DATA/log
cd "$data"
mkdir -p run log spool tls nginx acme
chmod 700 tls spool
# A socket's path may have 107 bytes.
run=$data/run
if [ ${#run} -gt 80 ]; then
	run=/tmp/trunkline-$(printf %s "$data" | sha256sum | cut -c1-12)
	mkdir -p "$run"
	chmod 750 "$run"
	[ -O "$run" ] || die "$run belongs to somebody else."
fi
exec 9>"$data/run/lock"
flock -n 9 || die "this STATE ($state) is in use by another run."

# --- settings --------------------------------------------------------------------------------------
# The environment wins over .env.
# shellcheck source=/dev/null
. "$app/settings.sh"
if [ -f "$app/.env" ]; then settings_read "$app/.env"; fi
secret() { # NAME FILE: made at first start, kept
	[ -s "$2" ] || (umask 077 && openssl rand -hex 32 > "$2")
	[ -n "${!1:-}" ] || export "$1=$(cat "$2")"
}
secret SECRET_KEY "$data/secret-key"
export DATABASE_URL="host=$run dbname=trunkline user=trunkline"
export RUN_DIR=$run
export STATE=$data TEMPLATE_DIR=$app/templates STATIC_DIR=$app/static
export PROMPT_DIR=$app/templates/prompts SQL_DIR=$app/sql
export BASE_URL=${BASE_URL:-https://localhost:$HTTPS_PORT}
if [ -z "$SANDBOX" ]; then if [ -n "${BLAND_API_KEY:-}" ]; then SANDBOX=0; else SANDBOX=1; fi; fi
export SANDBOX

# --- children --------------------------------------------------------------------------------------
stopping=0
declare -A keepers=()
# keep NAME PAUSE COMMAND…: runs it again whenever it ends, as Restart=always does. Each in a process group of
# its own, whose rest goes when its leader went.
keep() {
	local name=$1 pause=$2
	shift 2
	(
		exec 9>&-
		child=
		trap 'trap "" TERM
			if [ -n "$child" ]; then kill -TERM "$child" 2>/dev/null; wait "$child"; fi
			exit 0' TERM
		trap '' INT
		while :; do
			setsid "$@" >> "$log/$name.log" 2>&1 &
			child=$!
			wait "$child" || true
			kill -KILL -- "-$child" 2>/dev/null || true
			child=
			sleep "$pause" &
			wait $! || true
		done
	) &
	keepers[$name]=$!
	echo "$!" >> "$data/run/keepers"
}
end() { # NAME…: asks them to stop and waits, at most 15 s
	local name pid n
	for name in "$@"; do
		pid=${keepers[$name]:-}
		[ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null || true
	done
	for name in "$@"; do
		pid=${keepers[$name]:-}
		[ -n "$pid" ] || continue
		for ((n = 0; n < 300; n++)); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
		unset "keepers[$name]"
	done
}
pg() { "$pg_bin/pg_ctl" -D "$data/pg" -s "$@"; }
stop_all() {
	[ "$stopping" = 0 ] || return 0
	stopping=1
	trap '' INT TERM
	end watch dialer jobs
	end nginx
	end sandbox web-a web-b hook-a hook-b stream
	if [ -f "$data/pg/postmaster.pid" ]; then pg -m fast -w stop >/dev/null 2>&1 || true; fi
	if [ "$run" != "$data/run" ]; then rm -rf "$run"; fi
}
trap stop_all EXIT
trap 'exit 0' INT TERM

# --- PostgreSQL ------------------------------------------------------------------------------------
if [ ! -s "$data/pg/PG_VERSION" ]; then
	rm -rf "$data/pg"
	"$pg_bin/initdb" -D "$data/pg" -U trunkline -E UTF8 --locale=C.UTF-8 --auth-local=trust --auth-host=reject \
		--no-instructions ${PG_FAST:+--no-sync} > "$log/initdb.log" 2>&1 ||
		die "initdb failed; see $log/initdb.log"
fi
cat > "$data/pg/postgresql.auto.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$run'
unix_socket_permissions = 0700
shared_buffers = 128MB
timezone = 'UTC'
log_timezone = 'UTC'
max_connections = 100
${PG_FAST:+fsync = off}
${PG_FAST:+full_page_writes = off}
CONF
# What a kill -9 of this script left behind goes first; we hold the lock, so it is nobody else's.
while read -r pid; do
	if [ -r "/proc/$pid/cmdline" ] && tr '\0' ' ' < "/proc/$pid/cmdline" | grep -qF "$app/run.sh"; then
		kill -TERM "$pid" || true
	fi
done < <(cat "$data/run/keepers" 2>/dev/null || true)
: > "$data/run/keepers"
if pg status >/dev/null 2>&1; then pg -m fast -w stop >/dev/null 2>&1 || true; fi
setsid "$pg_bin/pg_ctl" -D "$data/pg" -s -l "$log/postgresql.log" -w start 9>&- ||
	die "PostgreSQL did not start; see $log/postgresql.log"
psql() { command psql -X -h "$run" -U trunkline -At "$@"; }
psql -d postgres -c "select 1 from pg_database where datname='trunkline'" | grep -q 1 ||
	psql -q -d postgres -c 'create database trunkline'
"$app/trunkline" migrate >> "$log/migrate.log" 2>&1 || die "the migration failed; see $log/migrate.log"
if [ ! -s "$data/admin-password" ]; then
	(umask 077 && openssl rand -base64 15 | tr '+/' 'xy' > "$data/admin-password")
	"$app/trunkline" user add admin@localhost --role admin --password-stdin \
		< "$data/admin-password" >/dev/null ||
		{ rm -f "$data/admin-password"; die "the first user could not be made"; }
	first=1
fi

# --- the certificate -------------------------------------------------------------------------------
if [ ! -s "$data/tls/cert.pem" ] ||
	! openssl x509 -in "$data/tls/cert.pem" -noout -checkend 86400 >/dev/null; then
	host=$(hostname 2>/dev/null || echo localhost)
	(umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 \
		-keyout "$data/tls/key.pem" -out "$data/tls/cert.pem" -subj "/CN=localhost" \
		-addext "subjectAltName=DNS:localhost,DNS:$host,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1" 2>/dev/null)
fi

# --- the sandbox -----------------------------------------------------------------------------------
if [ "$SANDBOX" = 1 ]; then
	secret SANDBOX_WEBHOOK_SECRET "$data/sandbox-secret"
	export BLAND_WEBHOOK_SECRET=$SANDBOX_WEBHOOK_SECRET BLAND_API_KEY=${BLAND_API_KEY:-sandbox}
	export CA_FILE=$data/tls/cert.pem CALLBACK_URL=https://localhost:$HTTPS_PORT/webhooks/bland
	if [ ! -s "$data/sandbox-port" ]; then
		for ((port = 20000 + RANDOM % 20000; ; port++)); do
			(exec 8<> "/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
		done
		echo "$port" > "$data/sandbox-port"
	fi
	SANDBOX_PORT=${SANDBOX_PORT:-$(cat "$data/sandbox-port")}
	export BLAND_BASE_URL=http://127.0.0.1:$SANDBOX_PORT
	# shellcheck disable=SC2086 # SANDBOX_ARGS is a list of options
	keep sandbox 0.5 "$app/trunkline-sandbox" --listen "127.0.0.1:$SANDBOX_PORT" \
		--ledger "$data/sandbox-ledger" ${SANDBOX_ARGS:-}
fi

# --- pools, dialer, jobs, nginx --------------------------------------------------------------------
pool() { # SOCKET POOL WORKERS
	keep "$1" 0.2 /usr/bin/spawn-fcgi -n -s "$run/$1.sock" -M 0660 -b 1024 -- \
		/usr/bin/multiwatch -f "$3" -r 1000000 -t 1000 -- "$app/trunkline-web" --pool "$2"
}
half() { echo $((($1 + 1) / 2)); }
pool web-a web "$(half "$WEB_WORKERS")"
pool web-b web "$(half "$WEB_WORKERS")"
pool hook-a hook "$(half "$HOOK_WORKERS")"
pool hook-b hook "$(half "$HOOK_WORKERS")"
pool stream stream 1
# These two end by themselves when their time budget is spent, as on a server, where timers start the next.
keep dialer 0.1 "$app/trunkline-dialer"
keep jobs 0.1 "$app/trunkline" jobs

suffix=:$HTTPS_PORT
[ "$HTTPS_PORT" != 443 ] || suffix=
for file in "$app"/nginx/*.conf; do
	sed -e "s|@RUN@|$run|g; s|@LOG@|$log|g; s|@DATA@|$data|g; s|@STATIC@|$app/static|g" \
		-e "s|@SNIPPETS@|$data/nginx|g; s|@HTTP_PORT@|$HTTP_PORT|g; s|@HTTPS_PORT@|$HTTPS_PORT|g" \
		-e "s|@HTTPS_SUFFIX@|$suffix|g; s|@SERVER_NAME@|_|g; s|@ACME@|$data/acme|g" \
		-e "s|@ACCESS_LOG@|$log/access.log|g" \
		-e "s|@CERT@|$data/tls/cert.pem|g; s|@KEY@|$data/tls/key.pem|g" "$file" > "$data/nginx/${file##*/}"
done
if [ ! -e /proc/net/if_inet6 ]; then sed -i '/listen \[::\]/d' "$data/nginx/trunkline.conf"; fi
nginx=(/usr/sbin/nginx -p "$data" -e "$log/nginx.log" -c "$data/nginx/run.conf")
"${nginx[@]}" -t >> "$log/nginx.log" 2>&1 || die "nginx refuses its configuration; see $log/nginx.log"
keep nginx 0.2 "${nginx[@]}"

# --- ready -----------------------------------------------------------------------------------------
healthy() {
	printf 'GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n' |
		timeout 5 openssl s_client -quiet -connect "localhost:$HTTPS_PORT" 2>/dev/null | head -1 | grep -q ' 200 '
}
for ((n = 0; n < 300; n++)); do
	! healthy || break
	sleep 0.1
done
[ "$n" -lt 300 ] || die "it did not become ready within 30 s; see $log"
# Not before: that the site does not answer yet is no news.
[ "${WATCH:-1}" = 0 ] || keep watch 60 "$app/trunkline" watch --quiet
if [ "$data" != "$TRUNKLINE_STATE" ]; then
	cp "$data/admin-password" "$TRUNKLINE_STATE/" 2>/dev/null || true
fi
say "Trunkline is ready:  https://localhost:$HTTPS_PORT"
say "Sign in as:          admin@localhost"
if [ -n "${first:-}" ]; then say "Password:            $(cat "$data/admin-password")"; fi
say "Kept in:             $data/admin-password"
if [ "$SANDBOX" = 1 ]; then
	say "Sandbox is on: nothing leaves this machine. Set BLAND_API_KEY in .env to call for real."
fi
# make does not hand on an INT that was sent to it alone, it waits for us. But it no longer catches INT then.
catches_int() {
	local word mask
	while read -r word mask; do
		[ "$word" != SigCgt: ] || { ((0x$mask & 2)); return; }
	done 2>/dev/null < "/proc/$PPID/status"
}
watched=0
if catches_int; then watched=1; fi
while [ "$watched" = 0 ] || catches_int; do
	sleep 1 9>&- &
	wait $! || true
done
