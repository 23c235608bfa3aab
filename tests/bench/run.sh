#!/bin/bash
# make bench: Trunkline beside its limits and its peers, in one run. See bench.py for the settings
# (PROBES="W P", QUICK=1, RESULTS=file, BUILD=folder). The last line reads "bars held: N of M".
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-$PWD/build}
export BUILD
# The machine's own settings do not belong into a measurement.
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY PGHOST PGUSER PGDATABASE PGPORT PGOPTIONS
export PYTHONDONTWRITEBYTECODE=1
# run.sh load: see load.py.
exec /usr/bin/python3 "tests/bench/${1:-bench}.py"
