#!/bin/bash
# Installs the Debian packages that are named and missing; without root it only says which.
set -euo pipefail
missing=()
for package in "$@"; do
	dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "These packages are missing. As root: apt-get install --no-install-recommends ${missing[*]}" >&2
	exit 1
fi
echo "Installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
# Without recommendations: what is needed is named. A new server updates itself when it first starts, and
# holds the lock for minutes.
apt-get -qq -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}" \
	> /tmp/trunkline-apt.$$ 2>&1 ||
	{ tail -20 /tmp/trunkline-apt.$$ >&2; rm -f /tmp/trunkline-apt.$$; exit 1; }
rm -f /tmp/trunkline-apt.$$
