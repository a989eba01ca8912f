"""Whether anything may be carried out is decided by the connection that a message came through, however the server was started."""

from __future__ import annotations

import importlib.util
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT, api_server, free_port, wait_until

_spec = importlib.util.spec_from_file_location("connection", ROOT / "agents" / "provisioner" / "connection.py")
assert _spec and _spec.loader
connection = importlib.util.module_from_spec(_spec)  # By itself: the app that it belongs to opens a world when it is loaded.
_spec.loader.exec_module(connection)
is_loopback_host, is_terminal, why_not_local = connection.is_loopback_host, connection.is_terminal, connection.why_not_local

APP = """
from google.adk.cli.fast_api import get_fast_api_app
app = get_fast_api_app(agents_dir="agents", web=False)
"""
LOCAL = ("127.0.0.1", 51000)
SERVER = ("127.0.0.1", 8000)


def scope(client: object = LOCAL, server: object = SERVER, **headers: str) -> dict[str, Any]:
    given = {"host": "localhost:8000", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return {"type": "http", "client": client, "server": server, "headers": [(n.encode(), v.encode()) for n, v in given.items()]}


@pytest.mark.parametrize(
    "came",
    [
        scope(),
        scope(("::1", 5), ("::1", 8000), host="[::1]:8000"),
        scope(("127.0.0.9", 5), host="127.0.0.1"),
        scope(("::ffff:127.0.0.1", 5)),
        scope(host="LOCALHOST.:80"),
        scope(origin="http://127.0.0.1:8000", referer="http://localhost:8000/dev-ui/?app=provisioner"),
    ],
)
def test_a_message_that_surely_came_from_this_machine(came: dict[str, Any]) -> None:
    assert why_not_local(came) == ""


@pytest.mark.parametrize(
    "came",
    [
        scope(("10.0.0.5", 5)),
        scope(None),
        scope(("", 0)),
        scope(("::ffff:10.0.0.5", 5)),
        scope(server=("/run/berth.sock", None)),
        scope(server=None),
        scope(server=("0.0.0.0", 8000)),
        scope(x_forwarded_for="127.0.0.1"),
        scope(x_forwarded_proto="https"),
        scope(forwarded="for=127.0.0.1"),
        scope(x_real_ip="127.0.0.1"),
        scope(via="1.1 proxy"),
        scope(host="berth.example.org"),
        {**scope(), "http_version": "1.0"},  # As nginx passes on what it got where nothing is said of it.
        scope(origin="https://berth.example.org"),
        scope(origin="null"),
        scope(referer="https://berth.example.org/dev-ui/"),
        scope(host="localhost.example.org"),
        scope(host="127.0.0.1.nip.io"),
        scope(host="127.0.0.1:8000.evil.com"),
        scope(host="2130706433"),
        scope(host=""),
        {**scope(), "headers": []},
        {**scope(), "headers": [(b"host", b"localhost"), (b"host", b"evil")]},
    ],
)
def test_a_message_that_may_have_come_from_elsewhere(came: dict[str, Any]) -> None:
    assert why_not_local(came)


@pytest.mark.parametrize(
    ("argv", "terminal"),
    [
        ("/v/bin/adk run agents/provisioner", True),
        ("/v/lib/google/adk/cli/__main__.py run x", True),
        ("adk web agents", False),
        ("adk api_server", False),
        ("uvicorn run:app", False),
        ("gunicorn run", False),
        ("serve.py run", False),
        ("", False),
    ],
)
def test_only_adk_run_is_a_terminal(argv: str, terminal: bool) -> None:
    assert is_terminal(argv.split()) is terminal


def test_a_host_is_this_machines_own() -> None:
    assert is_loopback_host("[::1]") and not is_loopback_host("[::1]evil") and not is_loopback_host("::2")


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Without any world: whether an approval is taken at all shows by what is wrong with it."""
    kept = ("PATH", "LANG", "HOME", "VIRTUAL_ENV", "SSL_CERT_FILE")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"BERTH_HOME": str(tmp_path_factory.mktemp("home"))}


def answer(client: httpx.Client, **headers: str) -> str:
    body = {"appName": "provisioner", "userId": "u", "sessionId": "s", "newMessage": {"parts": [{"text": "approve 0123456789ab"}]}}
    client.post("/apps/provisioner/users/u/sessions", json={"sessionId": "s"}, timeout=60)
    said = client.post("/run", json=body, headers=headers, timeout=60)
    assert said.status_code == 200, said.text
    return "\n".join(part["text"] for event in said.json() for part in event["content"]["parts"] if part.get("text"))


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="no Linux")
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_whose_end_of_a_connection_it_is(address: str) -> None:
    """Any account of a machine reaches its loopback."""
    with socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET) as server:
        to = server.getsockname()[:2]

        def came(client: tuple[str, int]) -> str:
            return str(connection.why_not_mine({"client": client, "server": to}))

        with socket.create_connection(to) as mine:
            at = mine.getsockname()[:2]
            assert connection.owner_of(at, to) == os.geteuid() and came(at) == ""
        gone, _ = server.accept()
        assert connection.owner_of(at, to) == -1 and "gone" in came(at), "and Linux says that root has it"
        gone.close()
        if os.geteuid() == 0:
            program = f"import socket; one = socket.create_connection({to!r}); print(one.getsockname()[1], flush=True); input()"
            pipe = subprocess.PIPE
            with subprocess.Popen(["/usr/bin/env", "python3", "-c", program], user=65534, stdin=pipe, stdout=pipe, text=True) as other:
                assert other.stdout is not None
                assert "another account" in came((address, int(other.stdout.readline())))
                other.communicate("\n")


@contextmanager
def served(given: Mapping[str, str], folder: Path, program: str, *words: str) -> Iterator[None]:
    """An app of somebody's own around ADK's, by a server as they like it."""
    (folder / "own.py").write_text(APP)
    log = folder / "server.log"
    path = os.pathsep.join([str(folder), *filter(None, [given.get("PYTHONPATH")])])
    with log.open("wb") as out:
        command = [sys.executable, "-m", program, "own:app", *words]
        process = subprocess.Popen(command, cwd=ROOT, env={**given, "PYTHONPATH": path}, stdout=out, stderr=out)
        try:
            wait_until(
                lambda: any(word in log.read_text() for word in ("running on", "Application startup complete", "listening")),
                60,
                log.read_text,
            )
            yield
        finally:
            process.terminate()
            process.wait(30)


def test_adks_own_server_on_loopback(given: Mapping[str, str], tmp_path: Path) -> None:
    with api_server(given, tmp_path / "log") as berth, httpx.Client(base_url=berth.url) as client:
        assert "There is no such plan" in answer(client)
        assert "only reads" in answer(client, **{"X-Forwarded-For": "127.0.0.1"})
        assert "proxy" in answer(client, Forwarded="for=203.0.113.7")


@pytest.mark.parametrize("program", ["uvicorn --host 0.0.0.0 --port", "gunicorn --worker-class asgi --bind 0.0.0.0:"])
def test_a_server_that_listens_to_more_than_this_machine_says_so_to_this_machine_too(
    given: Mapping[str, str], tmp_path: Path, program: str
) -> None:
    port = free_port()
    words = (f"{program}{port}" if program.endswith(":") else f"{program} {port}").split()
    with served(given, tmp_path, *words), httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        assert "only reads" in answer(client) and "0.0.0.0" in answer(client)


def test_a_server_behind_a_unix_socket(given: Mapping[str, str], tmp_path: Path) -> None:
    path = str(tmp_path / "berth.sock")
    with (
        served(given, tmp_path, "uvicorn", "--uds", path),
        httpx.Client(base_url="http://localhost", transport=httpx.HTTPTransport(uds=path)) as client,
    ):
        assert "only reads" in answer(client)


def test_looking_at_a_servers_sockets_leaves_databases_their_locks(tmp_path: Path) -> None:
    kept = sqlite3.connect(tmp_path / "kept.db")
    kept.execute("pragma journal_mode = wal")
    kept.execute("create table t (a)")
    kept.commit()
    connection.why_reachable()
    # Another process that closes the file as the last one takes away what has not been moved from the WAL: it must not think that it is.
    other = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('select * from t').fetchall(); c.close()"
    subprocess.run([sys.executable, "-c", other, str(tmp_path / "kept.db")], check=True)
    assert (tmp_path / "kept.db-wal").exists()
    kept.close()
