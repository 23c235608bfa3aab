#!/bin/bash
# Boots a disk as a machine of its own: boot.sh NAME DISK ADDRESS GATEWAY (IPv4, of a /30), in the foreground.
# The disk is mounted in a mount namespace, so nothing is left over when this ends, however it ends.
# systemd in the machine needs a cgroup tree of its own: where this machine runs systemd, it gives one; where
# it does not (containers, small VMs), a cgroup2 mounted in that namespace does.
set -euo pipefail
if [ -z "${TRUNKLINE_VPS_INSIDE:-}" ]; then
	exec env TRUNKLINE_VPS_INSIDE=1 unshare --mount --propagation private "$BASH" "$0" "$@"
fi
name=$1 disk=$2 address=$3 gateway=$4
root=$(dirname "$disk")/$name.root
mkdir -p "$root"
mount -o loop "$disk" "$root"
mkdir -p "$root/etc/systemd/network"
printf '[Match]\nName=host0\n[Network]\nAddress=%s/30\nAddress=%s/64\nGateway=%s\n' \
	"$address" "fd00:6c::${address##*.}" "$gateway" > "$root/etc/systemd/network/10-host0.network"
options=(--boot --directory="$root" --machine="$name" --register=no --network-veth --link-journal=no
	--console=pipe --resolv-conf=off --timezone=off)
group=
if [ ! -d /run/systemd/system ]; then
	umount -R /sys/fs/cgroup 2>/dev/null || true
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	group=/sys/fs/cgroup/$name
	mkdir -p "$group"
	echo $$ > "$group/cgroup.procs"
	options+=(--keep-unit)
	export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
fi
# TERM asks the machine to power off, as the button of a provider's console does.
nspawn=
trap 'kill -s RTMIN+4 "$(cat "/proc/$nspawn/task/$nspawn/children")" 2>/dev/null || true' TERM INT
# 133 is a reboot, which with --keep-unit is the caller's to carry out.
code=133
while [ "$code" = 133 ]; do
	systemd-nspawn "${options[@]}" < /dev/null &
	nspawn=$!
	while kill -0 "$nspawn" 2>/dev/null; do
		code=0
		wait "$nspawn" || code=$?
	done
done
umount "$root" 2>/dev/null || true
if [ -n "$group" ]; then
	echo $$ > /sys/fs/cgroup/cgroup.procs
	# What ended just now may still be counted.
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
		[ -d "$group" ] || break
		sleep 0.2
	done
fi
exit "$code"
