#!/usr/bin/env bash
# Sets Berth up in a checkout: set_up.sh PYTHON VENV demo|test. Nothing is resolved here: the lock names every package with its
# hash, exactly these are installed, and whether they fit each other is checked at the end. It is no deployment tool.
set -euo pipefail
python=$1 venv=$2 set=$3
here=$(dirname "$0")
case $set in
  demo) lock=requirements.lock sets=demo ;;
  test) lock=requirements-dev.lock sets="demo test" ;;
esac
pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@"; }
phase() { echo "[$1/5] $2" >&2; }
stop() { echo "$1" >&2; exit 1; }

phase 1 "Debian packages"
# shellcheck disable=SC2086
PYTHON=$python bash "$here/packages.sh" $sets

"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
  || stop "Berth needs Python 3.11, 3.12 or 3.13, and '$python' is not one. Name one: make PYTHON=python3.12 …"
# DBOS writes its times with a function of SQLite 3.42 from Python 3.12 on (dbos 3.4.0, _migration.py; met with Debian 12's 3.40.1).
"$python" -c 'import sqlite3, sys; sys.exit(sys.version_info >= (3, 12) and sqlite3.sqlite_version_info < (3, 42))' \
  || stop "With Python 3.12 or later Berth needs SQLite 3.42 or later, and '$python' has an older one. Use Python 3.11: make PYTHON=python3.11 …"
version=$("$python" -c 'import sys; print(*sys.version_info[:3], sep=".")')
phase 2 "Python $version ($(command -v "$python")) in $venv"
# Made anew for another Python, and where a Python without its module venv has left one behind that has no pip.
if [ "$("$venv/bin/python" -c 'import pip, sys; print(*sys.version_info[:3], sep=".")' 2>/dev/null)" != "$version" ]; then
  rm -rf "$venv"
  "$python" -m venv "$venv" || stop "The module venv is missing. On Debian: sudo apt-get install python3-venv"
fi

count=$(grep -c '==' "$lock")
phase 3 "$count Python packages, exactly as locked in $lock"
# A line now and then: some are large, and silence looks like standing still.
pip install --no-deps --require-hashes --no-compile --progress-bar off -r "$lock" \
  | awk -v of="$count" '/^(Collecting|Requirement already)/ && ++n % 25 == 0 {print "      " n " of " of > "/dev/stderr"}'
pip install -q --no-deps --no-build-isolation --no-compile -e .

phase 4 "compile them, with every processor"
# Here and not at the first start, and also on a machine that keeps no compiled files (PYTHONDONTWRITEBYTECODE). A package may hold
# files for another Python, which this one cannot compile and never loads.
"$venv/bin/python" -m compileall -q -j 0 "$venv"/lib/python*/site-packages >/dev/null 2>&1 || true
"$venv/bin/python" -m compileall -q agents tools cluster_sim
# Otherwise the first `adk` command on a terminal stops to ask, and Enter means yes.
"$venv/bin/adk" telemetry disable >/dev/null 2>&1 || true

phase 5 "check that they fit each other"
pip check >&2 || stop "These packages do not fit. An older set-up may have left some behind: make clean, and the same command again."
echo "Set up in $SECONDS s: Berth and $count packages under Python $version, in $venv. \`make clean\` takes them away." >&2
