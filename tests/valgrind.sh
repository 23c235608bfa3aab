#!/bin/bash
# make valgrind: one web worker, one hook worker and a dialer under memcheck, in the real stack
# (systemd/run.sh), through a short journey: signing in, pages, an import, a campaign of 20 leads in the
# sandbox, whose reports come as webhooks. Any error, or a byte definitely lost, fails it. The last line reads
# "N errors, N bytes definitely lost".
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
BUILD=$PWD/build/valgrind
make -s --no-print-directory -j"$(nproc)" BUILD="$BUILD/real" OPT="-O1 -g" HARDEN=-fPIE all || exit 1

# The stack starts programs from a folder; in this one two of them are scripts that start the real ones.
real=$(mktemp -d /tmp/trunkline-valgrind-XXXXXX)
trap 'rm -rf "$real"' EXIT
chmod 755 "$real"
cp "$BUILD"/real/trunkline{,-web,-dialer,-sandbox,-late.so} "$real/"
mkdir -p "$real/log" "$real/bin"
chmod 1777 "$real/log"
cp -r "$BUILD/real/static" "$real/bin/"
cp "$real"/trunkline{,-sandbox,-late.so} "$real/bin/"
for name in trunkline-web trunkline-dialer; do
	cat > "$real/bin/$name" <<-SCRIPT
		#!/bin/sh
		exec valgrind --tool=memcheck --leak-check=full --show-leak-kinds=definite \\
			--errors-for-leak-kinds=definite --num-callers=25 --log-file="$real/log/$name.%p" "$real/$name" "\$@"
	SCRIPT
	chmod 755 "$real/bin/$name"
done
BUILD="$real/bin" /usr/bin/python3 tests/valgrind_journey.py
journey=$?
errors=0 lost=0 programs=0 broken=0
sum() { grep -oE "$1" "$2" | tr -d , | awk '{ n += $NF } END { print n + 0 }'; }
for log in "$real"/log/*; do
	[ -e "$log" ] || continue
	programs=$((programs + 1))
	grep -q 'ERROR SUMMARY' "$log" || broken=$((broken + 1))
	n=$(sum 'ERROR SUMMARY: [0-9,]+' "$log")
	errors=$((errors + n))
	lost=$((lost + $(sum 'definitely lost: [0-9,]+' "$log")))
	[ "$n" = 0 ] || { echo "--- ${log##*/}"; head -80 "$log"; }
done
echo "$programs processes ran under valgrind, $broken of them ended without a summary"
[ "$programs" -ge 3 ] && [ "$broken" = 0 ] || journey=1
echo "$errors errors, $lost bytes definitely lost"
[ "$errors" = 0 ] && [ "$lost" = 0 ] && [ "$journey" = 0 ]
