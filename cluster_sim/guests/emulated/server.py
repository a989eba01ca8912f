"""The SSH servers of emulated guests, one on a loopback port each. What a guest answers is commands.py and modules.py."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import pickle
import posixpath
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from cluster_sim.guests.emulated.commands import run_command, run_line
from cluster_sim.guests.emulated.host import NOTICE, Host, HostProblem, new_host, set_up
from cluster_sim.guests.emulated.shell import Session
from cluster_sim.guests.proxying import PlainWords
from cluster_sim.guests.values import Executed, GuestProblem, GuestSpec

ANSWER_SECONDS_MAX = 30.0
HOSTS_NAME = "hosts.pickle"


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
        ports = {
            str(guest.spec.address.ip): guest.listener.get_port() for guest in self._guests.values() if guest.listener is not None
        }
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
            sftp_factory=lambda channel: _Files(channel, guest),
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

        session = Session(user, read, writer(process.stdout), writer(process.stderr), guest.host.people[user].home)
        line = process.command
        if line is None:
            process.stdout.write(f"{NOTICE}\r\nGive a command with ssh, such as `ssh HOST systemctl status nginx`.\r\n".encode())
            process.exit(0)
            return
        # In a thread, because a command may wait for its input, which arrives here.
        status = await asyncio.to_thread(self._run, guest, session, line)
        await process.stdout.drain()
        process.exit(status)

    def _run(self, guest: _Guest, session: Session, line: str) -> int:
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
        person = host.people.get(username)
        if person is None or person.shell.endswith("nologin"):
            return False
        for line in host.text(f"{person.home}/.ssh/authorized_keys").splitlines():
            with contextlib.suppress(asyncssh.KeyImportError):
                if asyncssh.import_public_key(line) == key:
                    return True
        return False

    def password_auth_supported(self) -> bool:
        return self._guest.spec.password is not None

    def validate_password(self, username: str, password: str) -> bool:
        return username == self._guest.spec.user and password == self._guest.spec.password


class _Files(asyncssh.SFTPServer):
    """The guest's modelled files, as far as Ansible's transfers and a copied file need them."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], guest: _Guest) -> None:
        super().__init__(channel)
        self._guest, self._user = guest, str(channel.get_extra_info("username"))

    def exit(self) -> None:
        # scp asks how the server ended; asyncssh by itself says nothing.
        self.channel.exit(0)

    def _place(self, path: bytes) -> str:
        return posixpath.normpath(posixpath.join(self._guest.host.people[self._user].home, path.decode()))

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        place = self._place(path)
        with self._guest.lock:
            entry = self._guest.host.entry(place)
            if pflags & asyncssh.FXF_WRITE:
                kept = b"" if entry is None or pflags & asyncssh.FXF_TRUNC else entry.data
                self._write(place, kept)
                return _OpenFile(place, io.BytesIO(kept), writes=True)
            if entry is None or entry.kind != "file":
                raise asyncssh.SFTPNoSuchFile("No such file")
            return _OpenFile(place, io.BytesIO(entry.data), writes=False)

    def _write(self, place: str, data: bytes) -> None:
        try:
            self._guest.host.write(place, data, owner=self._user)
        except HostProblem as problem:
            raise asyncssh.SFTPFailure(str(problem)) from problem

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        assert isinstance(file_obj, _OpenFile)
        file_obj.data.seek(offset)
        return file_obj.data.read(size)

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        assert isinstance(file_obj, _OpenFile)
        file_obj.data.seek(offset)
        return file_obj.data.write(data)

    def close(self, file_obj: object) -> None:
        assert isinstance(file_obj, _OpenFile)
        if file_obj.writes:
            with self._guest.lock:
                self._write(file_obj.place, file_obj.data.getvalue())

    def _attributes(self, path: bytes) -> asyncssh.SFTPAttrs:
        entry = self._guest.host.entry(self._place(path))
        if entry is None:
            raise asyncssh.SFTPNoSuchFile("No such file")
        kind = 0o040000 if entry.kind == "directory" else 0o100000
        return asyncssh.SFTPAttrs(size=len(entry.data), permissions=kind | entry.mode, uid=0, gid=0, atime=0, mtime=0)

    def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        return self._attributes(path)

    def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
        return self._attributes(path)

    def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:
        assert isinstance(file_obj, _OpenFile)
        return asyncssh.SFTPAttrs(size=len(file_obj.data.getvalue()), permissions=0o100600, uid=0, gid=0, atime=0, mtime=0)

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        entry = self._guest.host.entry(self._place(path))
        if entry is not None and attrs.permissions is not None:
            entry.mode = attrs.permissions & 0o7777

    def lsetstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        self.setstat(path, attrs)

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        pass

    def realpath(self, path: bytes) -> bytes:
        return self._place(path).encode()

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        self._guest.host.make_folder(self._place(path), 0o755, self._user)

    def remove(self, path: bytes) -> None:
        if not self._guest.host.remove(self._place(path)):
            raise asyncssh.SFTPNoSuchFile("No such file")

    def _unmodelled(self, *_: object) -> Any:
        # The library's own methods would act on this machine's files.
        raise asyncssh.SFTPOpUnsupported("This is not emulated.")

    scandir = listdir = readlink = symlink = link = _unmodelled  # type: ignore[assignment]
    rmdir = rename = posix_rename = fsync = _unmodelled  # type: ignore[assignment]
    statvfs = fstatvfs = lock = unlock = open56 = _unmodelled  # type: ignore[assignment]


@dataclass
class _OpenFile:
    place: str
    data: io.BytesIO
    writes: bool
