#!/bin/bash
# make coverage: which lines and branches of rules/, hooks/ and engine/ the tests run. Builds with gcc
# --coverage, runs the unit tests and the system tests that reach those folders, prints both figures for each
# file and the lines that nothing ran. The last line reads "NN.N % of lines"; a folder below 95 fails.
#   SYSTEM="tests/system/test_webhook.py …"  other system tests (" ": none)     LEAST=95  another bar
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
BUILD=$PWD/build/coverage
least=${LEAST:-95}
# A process that is killed writes no counts, and may spoil those of others: tests that kill are left out;
# so is the one that must be root to stop the database.
system=${SYSTEM:-tests/system/test_webhook.py tests/system/test_journey.py tests/system/test_imports.py
	tests/system/test_event_log.py tests/system/test_keeping.py tests/system/test_watching.py
	tests/system/test_backup.py tests/system/test_dialing_rules.py}
without='not kill and not grow and not frozen and not database_is_away'
folders=(rules hooks engine)
export TRUNKLINE_SHARED=${TRUNKLINE_SHARED:-$PWD/../shared} BUILD

make -s --no-print-directory -j"$(nproc)" BUILD="$BUILD" OPT="-O0 -g --coverage" HARDEN=-fPIE \
	LINK_SAN=--coverage all unit || exit 1

# The product's processes and the tests must be one user's, because their counts go into the same files.
counts=$(mktemp -d /tmp/trunkline-coverage-XXXXXX)
trap 'rm -rf "$counts"' EXIT
as=(env)
if [ "$(id -u)" = 0 ]; then
	chown postgres: "$counts"
	as=(setpriv --reuid=postgres --regid=postgres --init-groups env HOME="$counts")
fi
export GCOV_PREFIX=$counts PYTHONDONTWRITEBYTECODE=1
failed=0
for program in "$BUILD"/unit/test_*; do
	[[ -x $program && $program != *.d ]] || continue
	"${as[@]}" "$program" > "$counts/log" 2>&1 || {
		failed=$((failed + 1))
		echo "FAILED: ${program##*/}"
		grep -E '^\[  (FAILED|ERROR)' "$counts/log" | head -5
	}
done
# shellcheck disable=SC2086 # SYSTEM is a list of files
[ -z "${system// /}" ] ||
	"${as[@]}" /usr/bin/python3 -m pytest -q -p no:cacheprovider -k "$without" $system ||
	failed=$((failed + 1))

find "$BUILD" -name '*.gcda' -delete
cp -r "$counts$BUILD/." "$BUILD/"
gcovr --root . --object-directory "$BUILD/obj" --filter 'fcgi/(rules|hooks|engine)/' \
	--exclude-throw-branches --json "$BUILD/coverage.json" "$BUILD/obj" > "$BUILD/gcovr.log" 2>&1 || {
	tail -5 "$BUILD/gcovr.log"
	exit 1
}
/usr/bin/python3 - "$BUILD/coverage.json" "$least" "$failed" "${folders[@]}" <<'PY'
import json
import sys

least, failed, folders = float(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
files = {}
for f in json.load(open(sys.argv[1]))["files"]:
    lines = [l for l in f["lines"] if not l.get("gcovr/noncode")]
    branches = [b for l in lines for b in l["branches"]]
    files[f["file"]] = (
        [
            len(lines),
            sum(l["count"] > 0 for l in lines),
            len(branches),
            sum(b["count"] > 0 for b in branches),
        ],
        [l["line_number"] for l in lines if l["count"] == 0],
    )


def row(name, n):
    share = [f"{100 * n[i + 1] / n[i] if n[i] else 100:6.1f} % of {n[i]:<5}" for i in (0, 2)]
    print(f"{name:<34}", *share)


def ranges(missed):
    out = []
    for n in missed:
        if out and n == out[-1][1] + 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return " ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in out)


print(f"{'':<34} {'lines':<16} branches")
total, low = [0, 0, 0, 0], []
for folder in folders:
    inside = {k: v for k, v in sorted(files.items()) if k.startswith(f"fcgi/{folder}/")}
    sums = [sum(v[0][i] for v in inside.values()) for i in range(4)]
    total = [a + b for a, b in zip(total, sums)]
    row(folder + "/", sums)
    if not sums[0] or 100 * sums[1] / sums[0] < least:
        low.append(folder + "/")
    for name, (n, missed) in inside.items():
        row("  " + name.split("/", 2)[2], n)
        if missed:
            print("      not run:", ranges(missed))
row("all", total)
share = 100 * total[1] / total[0] if total[0] else 0
if failed:
    print(f"{failed} test programs failed")
print(f"{share:.1f} % of lines" + (f"; below {least:g} %: {', '.join(low)}" if low else ""))
sys.exit(1 if low or failed else 0)
PY
