#!/bin/bash
# make test: unit tests, the real stack, a real browser, all with address and undefined-behaviour sanitizers;
# ten seconds of each fuzz target, a minute of chaos.
# Arguments (optional) choose parts: unit system browser plain fuzz chaos. The last line reads
# "N passed, N failed".
# "plain" measures what sanitizers would distort, with the programs as they are installed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-$PWD/build/asan}
export BUILD
export TRUNKLINE_SHARED=${TRUNKLINE_SHARED:-$PWD/../shared}
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
parts=${*:-unit system browser plain fuzz chaos}
passed=0 failed=0

make -s --no-print-directory -j"$(nproc)" BUILD="$BUILD" SAN=1 all unit || {
	echo "0 passed, 1 failed"
	exit 1
}

count() { grep -cE "$1" "$2" || true; }
run_units() {
	local out
	out=$(mktemp)
	for program in "$BUILD"/unit/test_*; do
		[[ -x $program && $program != *.d ]] || continue
		if "$program" > "$out" 2>&1 && ! grep -q '^\[  FAILED  \]' "$out"; then
			passed=$((passed + $(count '^\[       OK \]' "$out")))
		else
			local bad
			bad=$(grep -cE '^\[  FAILED  \] [a-z]' "$out")
			failed=$((failed + (bad > 0 ? bad : 1)))
			passed=$((passed + $(count '^\[       OK \]' "$out")))
			echo "FAILED: ${program##*/}"
			grep -v '^\[ RUN\|^\[       OK' "$out" | tail -40
		fi
	done
	rm -f "$out"
	echo "unit: $passed passed, $failed failed"
}
run_pytest() { # ARGUMENT…
	local report good bad
	report=$(mktemp)
	/usr/bin/python3 -m pytest -q -p no:cacheprovider --junitxml="$report" "$@"
	read -r good bad < <(/usr/bin/python3 - "$report" <<-'PY'
		import sys, xml.etree.ElementTree as tree
		good = bad = 0
		try:
		    for suite in tree.parse(sys.argv[1]).iter("testsuite"):
		        lost = int(suite.get("failures")) + int(suite.get("errors"))
		        good += int(suite.get("tests")) - lost - int(suite.get("skipped"))
		        bad += lost
		except Exception:
		    bad = 1
		print(good, bad)
	PY
	)
	rm -f "$report"
	passed=$((passed + good)) failed=$((failed + bad))
}

for part in $parts; do
	case $part in
	unit) run_units ;;
	system | browser) run_pytest "tests/$part" ;;
	plain)
		make -s --no-print-directory -j"$(nproc)" BUILD="$PWD/build" all || failed=$((failed + 1))
		BUILD=$PWD/build run_pytest tests/system -k grow
		;;
	fuzz)
		# Each target counts as one test.
		make -s --no-print-directory -j"$(nproc)" BUILD="$PWD/build" all || failed=$((failed + 1))
		out=$(mktemp)
		FUZZ_SECONDS=${FUZZ_SECONDS:-10} tests/fuzz/run.sh | tee "$out"
		bad=$(tail -1 "$out" | grep -oE '^[0-9]+' || echo 1)
		passed=$((passed + $(find tests/fuzz -name 'fuzz_*.c' | wc -l) - bad)) failed=$((failed + bad))
		rm -f "$out"
		;;
	chaos)
		if BUILD=$PWD/build CHAOS_SECONDS=60 LEADS=1000 SEED=${SEED:-1} tests/chaos/run.sh; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
		fi
		;;
	*) echo "unknown part: $part" >&2; failed=$((failed + 1)) ;;
	esac
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
