#!/bin/sh
# A pool of FastCGI workers on the socket that is our standard input. systemd holds that socket
# (trunkline-*.socket), so what waits in it is kept while the workers are replaced, and while they are killed.
#   pool.sh run web|hook|stream   as many workers as the settings say; of web and hook, of which there are
#                                 two pools each, a half
#   pool.sh renew PID             replaces the workers of that pool one after the other: each ends when it has
#                                 answered what it holds, and multiwatch starts the program anew
set -eu
lib=$(dirname "$0")
case "$1" in
run)
	case "$2" in
	web) workers=$(((${WEB_WORKERS:-4} + 1) / 2)) ;;
	hook) workers=$(((${HOOK_WORKERS:-2} + 1) / 2)) ;;
	*) workers=${STREAM_WORKERS:-1} ;;
	esac
	[ "$workers" -ge 1 ] || workers=1
	exec /usr/bin/multiwatch -f "$workers" -r 1000000 -t 1000 -- "$lib/trunkline-web" --pool "$2"
	;;
renew)
	read -r workers < "/proc/$2/task/$2/children" || true
	for worker in ${workers:-}; do
		kill -TERM "$worker" || continue
		while kill -0 "$worker" 2> /dev/null; do sleep 0.05; done
	done
	;;
esac
