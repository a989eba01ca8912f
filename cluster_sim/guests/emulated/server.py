"""The SSH servers of emulated guests, one on a loopback port each: who may log in, and how bytes get to the model and back.

What a guest answers is commands.py and modules.py. No request is answered from this machine's own files or programs.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import pickle
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from cluster_sim.guests.emulated.commands import run_command, run_line
from cluster_sim.guests.emulated.host import NOTICE, Host, HostProblem, new_host, set_up
from cluster_sim.guests.emulated.sftp import ModelledFiles
from cluster_sim.guests.emulated.shell import Session
from cluster_sim.guests.proxying import PlainWords
from cluster_sim.guests.values import Executed, GuestProblem, GuestSpec

ANSWER_SECONDS_MAX = 30.0
HOSTS_NAME = "hosts-2.pickle"
"""The number goes up when the model of a host changes: guests of an older simulator get a new disk."""


@dataclass
class _Guest:
    spec: GuestSpec
    host: Host
    host_key: asyncssh.SSHKey
    lock: threading.RLock = field(default_factory=threading.RLock)
    """A host is changed by one command at a time."""
    listener: asyncssh.SSHAcceptor | None = None


class EmulatedBodies:
    kind = "emulated"

    def __init__(self, folder: Path, *, keep: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder.resolve()
        self._keep = keep
        self._guests: dict[str, _Guest] = self._kept()
        self._changing = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="emulated-guests", daemon=True)
        self._thread.start()
        self._words = PlainWords()
        self.proxy_command: str | None = self._words.proxy_command(self._folder, None)
        self._write_ports()

    def boot(self, spec: GuestSpec) -> None:
        with self._changing:
            guest = self._guests.get(spec.key)
            if guest is None:
                guest = self._guests[spec.key] = _Guest(spec, new_host(spec), asyncssh.generate_private_key("ssh-ed25519"))
            elif guest.spec != spec:
                # A cloud-init drive that says something else sets the machine up again.
                guest.spec = spec
                set_up(guest.host, spec)
            if guest.listener is None:
                guest.listener = self._wait(self._listen(guest))
                self._write_ports()

    def shutdown(self, key: str, force: bool = False) -> None:
        with self._changing:
            guest = self._guests.get(key)
            if guest is not None and guest.listener is not None:
                self._wait(self._silence(guest))
                self._write_ports()
                self._save()

    def destroy(self, key: str) -> None:
        self.shutdown(key, force=True)
        with self._changing:
            self._guests.pop(key, None)
            self._save()

    def is_up(self, key: str) -> bool:
        guest = self._guests.get(key)
        return guest is not None and guest.listener is not None

    def running(self) -> tuple[str, ...]:
        return tuple(key for key in list(self._guests) if self.is_up(key))

    def exec(self, key: str, argv: Sequence[str]) -> Executed:
        guest = self._guests.get(key)
        if guest is None or guest.listener is None:
            raise GuestProblem(f"Guest {key} is not running.")
        out, complaints = bytearray(), bytearray()
        with guest.lock:
            status = run_command(guest.host, Session("root", lambda: b"", out.extend, complaints.extend), list(argv))
        return Executed(status, out.decode("utf-8", "replace"), complaints.decode("utf-8", "replace"))

    def close(self) -> None:
        with self._changing:
            for guest in self._guests.values():
                if guest.listener is not None:
                    self._wait(self._silence(guest))
            self._save()
            self._guests.clear()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._words.close()
        with contextlib.suppress(FileNotFoundError):
            (self._folder / "ports.json").unlink()

    def _kept(self) -> dict[str, _Guest]:
        """The hosts of an earlier run in this folder."""
        file = self._folder / HOSTS_NAME
        if not self._keep:
            file.unlink(missing_ok=True)
        if not file.exists():
            return {}
        # The folder is this user's alone, and the file was written below.
        saved = pickle.loads(file.read_bytes())  # noqa: S301
        return {spec.key: _Guest(spec, host, asyncssh.import_private_key(key)) for spec, host, key in saved}

    def _save(self) -> None:
        if self._keep:
            hosts = [(guest.spec, guest.host, guest.host_key.export_private_key()) for guest in self._guests.values()]
            part = self._folder / f"{HOSTS_NAME}.part"
            part.touch(mode=0o600)
            part.write_bytes(pickle.dumps(hosts))
            part.replace(self._folder / HOSTS_NAME)

    def _wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        waiting: Future[Any] = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return waiting.result(ANSWER_SECONDS_MAX)

    def _write_ports(self) -> None:
        """Where dial.py finds each guest."""
        ports = {str(guest.spec.address.ip): guest.listener.get_port() for guest in self._guests.values() if guest.listener is not None}
        part = self._folder / "ports.json.part"
        part.write_text(json.dumps(ports))
        part.replace(self._folder / "ports.json")

    async def _listen(self, guest: _Guest) -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(
            lambda: _Door(guest),
            "127.0.0.1",
            0,
            server_host_keys=[guest.host_key],
            process_factory=lambda process: self._serve(guest, process),
            sftp_factory=lambda channel: ModelledFiles(channel, guest.host, guest.lock),
            encoding=None,
            line_editor=False,
            server_version="cluster_sim_emulated",
        )

    async def _silence(self, guest: _Guest) -> None:
        assert guest.listener is not None
        guest.listener.close()
        await guest.listener.wait_closed()
        guest.listener = None

    async def _serve(self, guest: _Guest, process: asyncssh.SSHServerProcess[bytes]) -> None:
        user = str(process.get_extra_info("username"))
        loop = asyncio.get_running_loop()

        def read() -> bytes:
            # The input may be long in coming, and others have business here meanwhile.
            guest.lock.release()
            try:
                return asyncio.run_coroutine_threadsafe(process.stdin.read(), loop).result()
            finally:
                guest.lock.acquire()

        def writer(stream: asyncssh.SSHWriter[bytes]) -> Callable[[bytes], None]:
            def write(data: bytes) -> None:
                loop.call_soon_threadsafe(stream.write, data)

            return write

        session = Session(user, read, writer(process.stdout), writer(process.stderr), guest.host.accounts[user].home)
        line = process.command
        if line is None:
            process.stdout.write(f"{NOTICE}\r\nGive a command with ssh, such as `ssh HOST cat /etc/hostname`.\r\n".encode())
            process.exit(0)
            return
        # In a thread, because a command may wait for its input, which arrives here.
        status = await asyncio.to_thread(_run, guest, session, line)
        await process.stdout.drain()
        process.exit(status)


def _run(guest: _Guest, session: Session, line: str) -> int:
    try:
        with guest.lock:
            return run_line(guest.host, session, line)
    except HostProblem as problem:
        session.complain(f"{problem}\n".encode())
        return 1


class _Door(asyncssh.SSHServer):
    """Who may come in: everybody with a home there, by the keys in it; the first user also by the password of cloud-init."""

    def __init__(self, guest: _Guest) -> None:
        self._guest = guest
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def begin_auth(self, username: str) -> bool:
        if self._connection is not None:
            self._connection.send_auth_banner(f"{NOTICE}\n")
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        host = self._guest.host
        account = host.accounts.get(username)
        if account is None or account.shell.endswith("nologin"):
            return False
        for line in host.text(f"{account.home}/.ssh/authorized_keys").splitlines():
            with contextlib.suppress(asyncssh.KeyImportError):
                if asyncssh.import_public_key(line) == key:
                    return True
        return False

    def password_auth_supported(self) -> bool:
        return self._guest.spec.password is not None

    def validate_password(self, username: str, password: str) -> bool:
        return username == self._guest.spec.user and password == self._guest.spec.password
