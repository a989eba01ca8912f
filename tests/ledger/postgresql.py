"""A PostgreSQL of its own, where the machine has one; otherwise those cases are skipped and say why."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

_numbers = count(1)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    programs = next((str(path.parent) for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")), None)
    found = shutil.which("initdb") or (f"{programs}/initdb" if programs else None)
    if not found:
        pytest.skip("no PostgreSQL server is installed here")
    # Not under pytest's own folder, which the server's user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="berth-postgresql-"))
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(folder, "postgres", "postgres")
    programs_folder = Path(found).parent
    made = subprocess.run([*as_user, found, "-D", str(folder / "data"), "-A", "trust", "-U", "berth"], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"PostgreSQL could not be set up here: {made.stderr.strip()[-200:]}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = [*as_user, str(programs_folder / "pg_ctl"), "-D", str(folder / "data"), "-w", "-l", str(folder / "log")]
    options = f"-h 127.0.0.1 -p {port} -k '' -c fsync=off"
    subprocess.run([*server, "-o", options, "start"], check=True, capture_output=True, timeout=60)
    yield f"postgresql://berth@127.0.0.1:{port}"
    subprocess.run([*server, "-m", "immediate", "stop"], check=False, capture_output=True, timeout=60)
    shutil.rmtree(folder)


@pytest.fixture
def postgresql_url(postgresql_server: str) -> str:
    import psycopg

    name = f"ledger{next(_numbers)}"
    with psycopg.connect(f"{postgresql_server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{postgresql_server}/{name}"
