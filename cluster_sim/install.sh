#!/usr/bin/env bash
# Installs the locked Python packages into a virtual environment: install.sh PYTHON VENV LOCK. Every package is checked by its hash.
set -euo pipefail
python=$1 venv=$2 lock=$3

if ! "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
  echo "Berth needs Python 3.11, 3.12 or 3.13, and '$python' is not one. Name one: make PYTHON=python3.12 …" >&2
  exit 1
fi
# DBOS writes its times with a function of SQLite 3.42 from Python 3.12 on (dbos 3.4.0, _migration.py; met with Debian 12's 3.40.1).
if ! "$python" -c 'import sqlite3, sys; sys.exit(sys.version_info >= (3, 12) and sqlite3.sqlite_version_info < (3, 42))'; then
  echo "With Python 3.12 or later Berth needs SQLite 3.42 or later, and '$python' has an older one. Use Python 3.11: make PYTHON=python3.11 …" >&2
  exit 1
fi
# Not only whether it is there: Debian's Python without its module venv leaves one behind that has no pip.
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  rm -rf "$venv"
  "$python" -m venv "$venv" || { echo "The module venv is missing. On Debian: sudo apt-get install python3-venv" >&2; exit 1; }
fi
echo "Installing $(grep -c '==' "$lock") Python packages as locked in $lock …" >&2
if command -v uv >/dev/null 2>&1; then
  uv pip install -q --compile-bytecode --python "$venv/bin/python" --require-hashes -r "$lock"
else
  "$venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r "$lock"
fi
"$venv/bin/python" -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
# Compiled here too, or a machine that keeps no compiled files (PYTHONDONTWRITEBYTECODE) would compile them at every start.
"$venv/bin/python" -m compileall -q agents tools cluster_sim
# Otherwise the first `adk` command on a terminal stops to ask, and Enter means yes.
"$venv/bin/adk" telemetry disable >/dev/null 2>&1 || true
