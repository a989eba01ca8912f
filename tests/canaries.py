"""Looks for secrets where none may be: in the words and the environment of a server's children while it works, and in what it leaves."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

LOOK_SECONDS = 0.03
FILE_BYTES_MAX = 50_000_000
HOLD_SECRETS = ("secrets", "ledger.key", "serve.key")
"""Files and folders of a home that are there to hold them; 0600 and 0700."""
WITHOUT_A_LOGIN = ("ansible", "ssh", "scp", "sftp")
"""Programs that have nothing to do with a platform's login."""


@dataclass
class Seen:
    """By process: its words, its environment."""

    words: dict[int, bytes] = field(default_factory=dict)
    environments: dict[int, bytes] = field(default_factory=dict)

    def with_words(self, canary: bytes) -> list[bytes]:
        return [words for words in self.words.values() if canary in words]

    def with_environment(self, canary: bytes) -> list[bytes]:
        """Words of those that had it in their environment, and nothing to do with it."""
        had = (self.words.get(pid, b"") for pid, environment in self.environments.items() if canary in environment)
        return [
            words for words in had if any(Path(one.decode("utf-8", "replace")).name.startswith(WITHOUT_A_LOGIN) for one in words.split())
        ]


def _name(word: bytes) -> str:
    return Path(word.decode("utf-8", "replace")).name


@contextmanager
def children_of(server_words: str) -> Iterator[Seen]:
    """Of the server whose command line has these words: whatever runs below it meanwhile, as often as can be looked."""
    seen, ends = Seen(), threading.Event()

    def look() -> None:
        while not ends.wait(LOOK_SECONDS):
            words, parents = {}, {}
            for entry in Path("/proc").iterdir():
                if entry.name.isdecimal():
                    try:
                        words[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                        parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    except (OSError, IndexError):
                        continue
            below = {pid for pid, said in words.items() if server_words.encode() in said}
            while more := {pid for pid, parent in parents.items() if parent in below} - below:
                below |= more
            for pid in below & words.keys():
                seen.words[pid] = words[pid] or seen.words.get(pid, b"")
                try:
                    seen.environments[pid] = Path(f"/proc/{pid}/environ").read_bytes() or seen.environments.get(pid, b"")
                except OSError:
                    continue

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        ends.set()
        thread.join(10)


def left_in(folder: Path, canary: bytes) -> list[Path]:
    """Files of a home that have it, besides those that are there to hold secrets."""
    return [path for path in _files(folder) if not set(path.relative_to(folder).parts) & set(HOLD_SECRETS) and canary in path.read_bytes()]


def left_in_temporary_files(since: float, canary: bytes, besides: Path) -> list[Path]:
    found = []
    for top in Path(tempfile.gettempdir()).iterdir():
        if top not in besides.parents and not top.name.startswith("pytest-"):
            try:
                files = [one for one in (_files(top) if top.is_dir() else [top]) if one.stat().st_mtime >= since]
                found += [one for one in files if canary in one.read_bytes()]
            except OSError:
                continue
    return found


def _files(folder: Path) -> list[Path]:
    return [one for one in folder.rglob("*") if one.is_file() and not one.is_symlink() and one.stat().st_size < FILE_BYTES_MAX]
