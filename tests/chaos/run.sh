#!/bin/bash
# make chaos: a campaign against the sandbox with all its misbehaviours, while things break every second or
# so; then the sandbox's own ledger is held against the database. Settings, all optional:
#   CHAOS_SECONDS  how long faults go on (300)
#   LEADS          (10000; in shorter runs 12 for each second)
#   SEED           drawn and printed; the same one does the same faults in the same order
#   KEEP_STATE=1   keeps the folder (a failed run keeps it anyway)
#   BUILD          the folder of the programs (build)
# The short form of `make test`: CHAOS_SECONDS=60 SEED=1 tests/chaos/run.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
make -s --no-print-directory -j2 BUILD="${BUILD:=build}" all
BUILD=$(realpath "$BUILD")
export BUILD
mkdir -p "$BUILD/chaos"
gcc -std=gnu11 -O2 -g -Wall -Wextra -Werror -fPIC -shared -o "$BUILD/chaos/shim.so" tests/chaos/shim.c
# PostgreSQL's user must be able to read it, which it may not be able to in the checkout.
dir=$(mktemp -d /tmp/trunkline-chaos-XXXXXX)
chmod 755 "$dir"
cp "$BUILD/chaos/shim.so" "$dir/"
head -c 24 /dev/zero > "$dir/control"
chmod 644 "$dir"/*
export CHAOS_SHIM=$dir/control LD_PRELOAD=$dir/shim.so
exec /usr/bin/python3 -B tests/chaos/chaos.py
