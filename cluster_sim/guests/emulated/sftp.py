"""The SFTP server of an emulated guest: modelled files, as far as Ansible's transfers and a copied file need them.

Whatever the library would do by itself, on this machine's own files, is refused.
"""

from __future__ import annotations

import io
import posixpath
import threading
from dataclasses import dataclass
from typing import Any

import asyncssh

from cluster_sim.guests.emulated.host import Host, HostProblem


class ModelledFiles(asyncssh.SFTPServer):
    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], host: Host, lock: threading.RLock) -> None:
        super().__init__(channel)
        self._host, self._lock, self._user = host, lock, str(channel.get_extra_info("username"))

    def exit(self) -> None:
        # scp asks how the server ended; asyncssh by itself says nothing.
        self.channel.exit(0)

    def _path(self, path: bytes) -> str:
        return posixpath.normpath(posixpath.join(self._host.accounts[self._user].home, path.decode()))

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        name, writes = self._path(path), bool(pflags & asyncssh.FXF_WRITE)
        with self._lock:
            entry = self._host.entry(name)
            if not writes and (entry is None or entry.kind != "file"):
                raise asyncssh.SFTPNoSuchFile("No such file")
            kept = b"" if entry is None or pflags & asyncssh.FXF_TRUNC else entry.data
            if writes:
                self._write(name, kept)
            return _OpenFile(name, io.BytesIO(kept), writes)

    def _write(self, name: str, data: bytes) -> None:
        try:
            self._host.write(name, data, owner=self._user)
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
            with self._lock:
                self._write(file_obj.path, file_obj.data.getvalue())

    def _attributes(self, path: bytes) -> asyncssh.SFTPAttrs:
        entry = self._host.entry(self._path(path))
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
        entry = self._host.entry(self._path(path))
        if entry is not None and attrs.permissions is not None:
            entry.mode = attrs.permissions & 0o7777

    def lsetstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        self.setstat(path, attrs)

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        pass

    def realpath(self, path: bytes) -> bytes:
        return self._path(path).encode()

    def _unmodelled(self, *_: object) -> Any:
        # The library's own methods would act on this machine's files.
        raise asyncssh.SFTPOpUnsupported("This is not emulated.")

    scandir = listdir = readlink = symlink = link = mkdir = remove = _unmodelled  # type: ignore[assignment]
    rmdir = rename = posix_rename = fsync = _unmodelled  # type: ignore[assignment]
    statvfs = fstatvfs = lock = unlock = open56 = _unmodelled  # type: ignore[assignment]


@dataclass
class _OpenFile:
    path: str
    data: io.BytesIO
    writes: bool
