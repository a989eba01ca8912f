"""Private files and folders: 0600 and 0700, written whole or not at all. What stands in them is decided elsewhere."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.values.trouble import WorldProblem

FREE_BYTES_MIN = 200 * 2**20
"""Terraform cuts its state short on a full disk (measured), so we do not begin on one."""


def private_folder(path: Path) -> Path:
    """The folder, made with every missing parent; 0700."""
    missing = [p for p in (path, *path.parents) if not p.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    path.chmod(0o700)
    return path


def write_private(path: Path, content: bytes | str) -> Path:
    """Whole or not at all: a reader sees the old content or the new, also after a crash."""
    raw = content.encode() if isinstance(content, str) else content
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def write_once(path: Path, content: bytes) -> bytes:
    """Writes unless it is there already; the content that counts either way. Two processes agree on the first one."""
    if path.exists():
        return path.read_bytes()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(name, path)
    except FileExistsError:
        return path.read_bytes()
    finally:
        Path(name).unlink()
    return content


def copy_private(source: Path, target: Path) -> Path:
    """In the place of whatever stands there: a link that was laid there is replaced, and not followed."""
    return write_private(target, source.read_bytes())


def file_sha256(path: Path) -> str:
    """Empty when there is no such file."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_sha256(paths: Iterable[Path]) -> str:
    """One digest over names and contents."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(f"{path.name}\0{file_sha256(path)}\n".encode())
    return total.hexdigest()


def assert_room(folder: Path, bytes_min: int = FREE_BYTES_MIN) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < bytes_min:
        raise WorldProblem(
            "The disk is full.",
            f"Only {free_bytes // 2**20} MiB are free under {folder}; Terraform could lose its record of what exists.",
            f"Free at least {bytes_min // 2**20} MiB, then try again.",
            retryable=True,
        )


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One at a time with the folder's files, of all threads and processes: parts of a run are made side by side."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def in_words(error: OSError) -> WorldProblem:
    """Of a file that cannot be read or written: full disk, rights, gone."""
    where = error.filename2 or error.filename or "a file"
    return WorldProblem(
        "A file cannot be read or written.",
        f"{where}: {error.strerror or type(error).__name__}.",
        "Put that right (space, rights, or the file from a copy), then say retry.",
        retryable=True,
    )
