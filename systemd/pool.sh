#!/bin/sh
# A pool of FastCGI workers on the socket that is our standard input. systemd holds that socket
# (trunkline-*.socket), so what waits in it is kept while the workers are replaced, and while they are killed.
#   pool.sh run web|hook|stream   as many workers as the settings say; of web and hook, of which there are
#                                 two pools each, a half
#   pool.sh renew PID             replaces the workers of that pool one after the other: each ends when it has
#                                 answered what it holds, and multiwatch starts the program anew
#   pool.sh stop PID              ends the pool when its workers have answered what they hold
set -eu
lib=$(dirname "$0")
workers() { # PID
	read -r found < "/proc/$1/task/$1/children" 2> /dev/null || true
	echo "${found:-}"
}
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
	for worker in $(workers "$2"); do
		kill -TERM "$worker" 2> /dev/null || continue
		while kill -0 "$worker" 2> /dev/null; do sleep 0.05; done
	done
	;;
stop)
	# Where multiwatch itself was killed there is none; systemd ends the rest.
	[ -n "${2:-}" ] && kill -TERM "$2" 2> /dev/null || exit 0
	# A worker that ends in the very moment of the signal is replaced by one that multiwatch forgot to tell.
	told=0
	while kill -0 "$2" 2> /dev/null; do
		sleep 0.05
		told=$((told + 1))
		[ $((told % 10)) = 0 ] || continue
		for worker in $(workers "$2"); do kill -TERM "$worker" 2> /dev/null || true; done
	done
	;;
esac
