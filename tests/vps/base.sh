#!/bin/bash
# Makes the disk of a bare Debian 12 machine, once: base.sh DISK ROOT PACKAGES…
# The packages are only fetched into its apt cache, so that `apt install` in the booted machine, which has no
# way out, finds what it would find on the network. Sources of packages are those of this machine.
set -euo pipefail
disk=$1 root=$2
shift 2
log=${disk%.img}.log
say() { printf '  %s\n' "$*"; }
trap 'tail -5 "$log" >&2; echo "The disk could not be made; see $log" >&2' ERR

mirror=$(sed -nE 's/^URIs: *([^ ]+).*/\1/p; s/^deb (\[[^]]*\] )?([^ ]+) .*/\2/p' \
	/etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -1) || true
say "debootstrap (Debian 12, minimal)"
rm -rf "$root"
mkdir -p "$root"
debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,iproute2,ca-certificates,procps \
	bookworm "$root" ${mirror:+"$mirror"} > "$log" 2>&1
# How this machine reaches its packages is its own affair: all of it is copied, nothing of it is written here.
rm -rf "$root/etc/apt/sources.list.d" "$root/etc/apt/sources.list"
for part in sources.list sources.list.d apt.conf.d keyrings trusted.gpg trusted.gpg.d auth.conf.d \
	preferences.d; do
	if [ -e "/etc/apt/$part" ]; then cp -a "/etc/apt/$part" "$root/etc/apt/"; fi
done
if [ -d /usr/share/keyrings ]; then cp -an /usr/share/keyrings/. "$root/usr/share/keyrings/"; fi
if [ -d /usr/local/share/ca-certificates ]; then
	cp -a /usr/local/share/ca-certificates "$root/usr/local/share/"
	chroot "$root" update-ca-certificates >> "$log" 2>&1
fi
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
say "packages that it will need, into its apt cache"
rm -f "$root"/etc/apt/apt.conf.d/docker-clean
chroot "$root" apt-get -qq update >> "$log" 2>&1
chroot "$root" apt-get -qq -y -o Binary::apt::APT::Keep-Downloaded-Packages=true \
	--download-only install "$@" >> "$log" 2>&1
: > "$root/etc/resolv.conf"
# What a provider's image of a VPS has as well: a network, a journal that stays, a name.
mkdir -p "$root/etc/systemd/system/multi-user.target.wants" "$root/var/log/journal"
ln -sf /lib/systemd/system/systemd-networkd.service "$root/etc/systemd/system/multi-user.target.wants/"
echo vps > "$root/etc/hostname"
printf '127.0.0.1 localhost\n::1 localhost ip6-localhost\n127.0.1.1 vps\n' > "$root/etc/hosts"
: > "$root/etc/machine-id"
echo LANG=C.UTF-8 > "$root/etc/default/locale"
say "its disk: 3 GB of ext4"
rm -f "$disk.part"
truncate -s 3G "$disk.part"
mkfs.ext4 -q -F -m 0 -O ^has_journal -d "$root" "$disk.part" >> "$log" 2>&1
rm -rf "$root"
mv "$disk.part" "$disk"
