#!/bin/bash
# A PostgreSQL of its own for tests of faults: "start" prints the folder of its socket, "stop FOLDER" ends it.
# Nothing is flushed to disk: these tests kill connections, not machines.
set -euo pipefail
bin=/usr/lib/postgresql/15/bin
as=()
[ "$(id -u)" != 0 ] || as=(setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/tmp)
cd /
case ${1:-} in
start)
	dir=$(mktemp -d /tmp/trunkline-fault-XXXXXX)
	chmod 755 "$dir"
	[ "$(id -u)" != 0 ] || chown postgres: "$dir"
	"${as[@]}" "$bin/initdb" -D "$dir/pg" -U trunkline -E UTF8 --locale=C.UTF-8 --auth=trust --no-sync \
		--no-instructions > "$dir.log" 2>&1
	"${as[@]}" "$bin/pg_ctl" -D "$dir/pg" -s -w -l "$dir/server.log" -o "-k $dir -h '' -F \
		-c full_page_writes=off -c shared_buffers=32MB" start >> "$dir.log" 2>&1 < /dev/null
	rm -f "$dir.log"
	psql -X -q -h "$dir" -U trunkline -d postgres -c 'create database trunkline'
	echo "$dir"
	;;
stop)
	[[ $2 == /tmp/trunkline-fault-* ]] || exit 2
	"${as[@]}" "$bin/pg_ctl" -D "$2/pg" -s -m immediate -w stop > /dev/null 2>&1 || true
	rm -rf "$2"
	;;
*)
	echo "usage: fault_server.sh start | stop FOLDER" >&2
	exit 2
	;;
esac
