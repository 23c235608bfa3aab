#!/bin/bash
# make fuzz: libFuzzer with address and undefined-behaviour sanitizers on everything a stranger can reach.
# Each target first replays its seeds, what was found in earlier runs, and all that ever crashed, then goes
# on by itself. The last line reads "N crashes".
#   FUZZ_SECONDS=60  for each target       TARGETS="csv json"  only these
#   JOBS=2           so many at a time     FUZZ_SEED=7         the same choices again
# What crashes is written to tests/fuzz/crashes/NAME: keep the file, it is replayed for ever.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
BUILD=${FUZZ_BUILD:-build/fuzz}
seconds=${FUZZ_SECONDS:-60} jobs=${JOBS:-2}
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=0:quarantine_size_mb=16}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
names=()
for file in tests/fuzz/fuzz_*.c; do
	name=${file##*/fuzz_}
	name=${name%.c}
	[[ -z ${TARGETS:-} || " $TARGETS " == *" $name "* ]] && names+=("$name")
done
if ! make -s --no-print-directory -j"$jobs" -f Makefile -f tests/fuzz/fuzz.mk BUILD="$BUILD" \
	fuzz-targets; then
	echo "1 crashes (the targets could not be built)"
	exit 1
fi

# The files that the unit tests read are seeds, too.
more_seeds() { # NAME FOLDER
	local file
	rm -rf "$2" && mkdir -p "$2"
	case $1 in
	table) cp tests/unit/files/*.{csv,tsv,txt} tests/unit/files/plain.xlsx "$2/" ;;
	csv | charset)
		for file in tests/unit/files/*.{csv,tsv,txt}; do
			{ printf '\0'; [ "$1" = csv ] || printf '\3'; cat "$file"; } > "$2/${file##*/}"
		done
		;;
	sheet)
		cp tests/unit/files/*.xlsx "$2/"
		rm -f "$2"/bomb*
		;;
	mustache)
		for file in templates/*.mustache; do
			{ cat "$file"; printf '\n===\n\n===\n\n===\n{"leads": [{"id": 1}], "any": true}'; } > "$2/${file##*/}"
		done
		;;
	prompt) for file in templates/prompts/*; do
		[ -f "$file" ] && { cat "$file"; printf '\n===\n{"contact": "Ada"}'; } > "$2/${file##*/}"
	done ;;
	esac
	return 0
}

one() { # NAME
	local name=$1 log=$BUILD/log/$1 corpus=$BUILD/corpus/$1 found=$BUILD/found/$1 code=0
	local crashes=tests/fuzz/crashes/$1 options=() more=$BUILD/seeds/$1
	mkdir -p "$corpus" "$BUILD/log" "$crashes" "tests/fuzz/seeds/$name"
	rm -rf "$found" && mkdir -p "$found"
	more_seeds "$name" "$more"
	[ ! -f "tests/fuzz/$name.dict" ] || options+=(-dict="tests/fuzz/$name.dict")
	[ -z "${FUZZ_SEED:-}" ] || options+=(-seed="$FUZZ_SEED")
	"$BUILD/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1500 -print_final_stats=1 \
		-artifact_prefix="$found/" "${options[@]}" "$corpus" "tests/fuzz/seeds/$name" "$crashes" "$more" \
		> "$log" 2>&1 || code=$?
	# A seed that crashes leaves no new file; it counts all the same.
	local n
	n=$(find "$found" -type f | wc -l)
	[ "$n" -gt 0 ] || [ "$code" = 0 ] || n=1
	# One that is known under another name is not kept twice.
	local file old known
	for file in "$found"/*; do
		[ -f "$file" ] || continue
		known=
		for old in "$crashes"/*; do ! cmp -s "$file" "$old" || known=1; done
		[ -n "$known" ] || cp "$file" "$crashes/"
	done
	rmdir "$crashes" "tests/fuzz/seeds/$name" 2>/dev/null
	local executions edges counters units
	executions=$(awk '/stat::number_of_executed_units/ { print $2 }' "$log")
	units=$(awk '/stat::new_units_added/ { print $2 }' "$log")
	edges=$(grep -oE 'cov: [0-9]+' "$log" | tail -1 | cut -c6-)
	counters=$(grep -oE '\([0-9]+ inline' "$log" | head -1 | tr -dc 0-9)
	printf '%-10s %12s %8s of %-7s %9s %8s\n' "$name" "${executions:-?}" "${edges:-0}" "${counters:-?}" \
		"${units:-0}" "$n"
	[ "$n" = 0 ] || grep -E 'does not hold|ERROR|runtime error|SUMMARY|#[0-9] .*fcgi/|artifact' "$log" |
		head -20 | sed 's/^/    /'
	echo "$n" > "$BUILD/log/$name.crashes"
}

printf '%-10s %12s %19s %9s %8s\n' target executions 'edges covered' 'new units' crashes
rm -f "$BUILD"/log/*.crashes
running=0
for name in "${names[@]}"; do
	if [ "$running" = "$jobs" ]; then
		wait -n
		running=$((running - 1))
	fi
	one "$name" &
	running=$((running + 1))
done
wait
total=0
for name in "${names[@]}"; do
	total=$((total + $(cat "$BUILD/log/$name.crashes" 2>/dev/null || echo 1)))
done
echo "$total crashes"
[ "$total" = 0 ]
