#!/bin/bash
# trunkline reload: takes over a new program and new settings without failing one request. The pools are
# restarted one after the other, each only when the one before answers; what arrives meanwhile waits in its
# socket, which systemd holds. The dialer ends what it has in hand, and the timer starts the next.
set -euo pipefail
program=/usr/lib/trunkline/trunkline
run=/run/trunkline
[ "$(id -u)" = 0 ] || { echo "trunkline reload: only root may do this." >&2; exit 1; }
systemctl daemon-reload
restart() { # UNIT SOCKET
	systemctl is-active -q trunkline.target || systemctl is-active -q "$1" || return 0
	systemctl restart "$1"
	"$program" ping "$2" --wait 30 || {
		echo "trunkline reload: $1 does not answer; the others were left as they are. journalctl -u $1" >&2
		exit 1
	}
	echo "$1 answers."
}
for one in hook@a hook@b web@a web@b; do
	restart "trunkline-$one.service" "$run/${one/@/-}.sock"
done
restart trunkline-stream.service "$run/stream.sock"
for one in jobs.service sandbox.service dialer.service; do systemctl try-restart "trunkline-$one"; done
