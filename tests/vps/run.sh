#!/bin/bash
# make vps: the package on a bare Debian 12 that systemd-nspawn boots; ends with "N passed, N failed".
# As root, on Debian. Settings, all optional:
#   PARTS=install,upgrade,…  some of the parts (vps.py lists them)
#   OLD=commit               what is upgraded from (the commit before; the same one with a lower version where
#                            that had no package yet)
#   KEEP_STATE=1             keeps the machines' disks and consoles in build/vps
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
: "${BUILD:=build}" "${PARTS:=}"
[ -n "${OLD:-}" ] || OLD=HEAD~1
BUILD=$(realpath -m "$BUILD")
work=$BUILD/vps
mkdir -p "$work"
cannot() { printf 'make vps: %s\n0 passed, 1 failed\n' "$*"; exit 1; }
[ "$(id -u)" = 0 ] || cannot "it makes and boots machines, which only root may do"
for program in debootstrap systemd-nspawn mkfs.ext4 ip wrk unshare nsenter; do
	command -v "$program" > /dev/null || cannot "$program is missing"
done
exec 9> "$work/lock"
flock -n 9 || cannot "another one is running in $work"

echo "The packages"
make -s --no-print-directory BUILD="$BUILD" deb > /dev/null || cannot "make deb failed"
new=$(ls "$BUILD"/deb/trunkline_*.deb)
version=$(basename "$new" | cut -d_ -f2)
# An older release, with its own files where git has them; they are as old as their commit, so nothing of
# another build may be left.
rm -rf "$work/old" "$work/old-build"
if git cat-file -e "$OLD:systemd/debian/control" 2> /dev/null; then
	mkdir -p "$work/old"
	git archive "$OLD" | tar -x -C "$work/old"
	older=1.0.$(git rev-list --count "$OLD")
	[ "$older" != "$version" ] || older=$version~old
	make -s --no-print-directory -C "$work/old" BUILD="$work/old-build" VERSION="$older" \
		DATE="$(git log -1 --format=%ct "$OLD")" deb > /dev/null || cannot "make deb of $OLD failed"
	old=$(ls "$work"/old-build/deb/trunkline_*.deb)
else
	make -s --no-print-directory BUILD="$work/old-build" VERSION="$version~old" deb > /dev/null ||
		cannot "make deb failed"
	old=$(ls "$work"/old-build/deb/trunkline_*.deb)
fi
gcc -std=gnu11 -O2 -Wall -Wextra -Werror -fPIC -shared -o "$work/shim.so" tests/chaos/shim.c
echo "  $(basename "$old") and $(basename "$new")"

# The disk is made anew when the package depends on something else, and once a week.
needs=$(dpkg-deb -f "$new" Depends Recommends |
	sed -E 's/^[A-Za-z]+: //; s/ *\([^)]*\)//g; s/ *\|[^,]*//g' | tr ',' '\n' | awk '{ print $1 }' | sort -u)
base=$(printf '%s %s %s' "$needs" "$(date +%G%V)" "$(cat tests/vps/base.sh)" | sha256sum | cut -c1-12)
base=$work/base-$base.img
if [ ! -s "$base" ]; then
	rm -f "$work"/base-*.img
	echo "The disk of a bare machine (kept for the next time)"
	# shellcheck disable=SC2086 # one word each
	bash tests/vps/base.sh "$base" "$work/base-root" $needs
fi
lintian=$work/lintian.txt
lintian --allow-root --fail-on error "$BUILD"/deb/trunkline_"$version"_*.changes > "$lintian" 2>&1 &&
	linted=0 || linted=$?
export LINTED=$linted LINTIAN=$lintian
export PROMTOOL RULES="$root/systemd/trunkline.rules.yml"
PROMTOOL=$(command -v promtool || true)
if [ -z "$PROMTOOL" ]; then
	# Only the tool: the package would start a server on this machine.
	(cd "$work" && apt-get -qq download prometheus && dpkg-deb -x prometheus_*.deb tools) > /dev/null 2>&1 ||
		true
	PROMTOOL=$work/tools/usr/bin/promtool
fi
exec /usr/bin/python3 -B tests/vps/vps.py --folder "$work" --base "$base" --old "$old" --new "$new" \
	${PARTS:+--parts "$PARTS"}
