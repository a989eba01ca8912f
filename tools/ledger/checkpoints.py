"""Signed checkpoints of the audit chain, in a file of their own: how far the chain had come, and its hash there. A chain alone cannot see
that its end was cut off. The file only grows. Kept elsewhere (BERTH_CHECKPOINTS names the place), it is out of the reach of whoever can
write in the home."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tools.clients.files import private_folder, write_once
from tools.values.value import Json, Value, canonical, sha256

TAIL_BYTES = 8_192
"""Holds the last few lines: each is some 300 bytes."""
LEDGER_DIGITS = 12


class Checkpoint(Value):
    ledger: str
    """Which one, by its address: several may share a file."""
    number: int
    hash: str
    at: datetime


class Checkpoints:
    def __init__(self, path: Path, home: Path, ledger_url: str) -> None:
        self.path = path
        self._ledger = sha256(ledger_url.encode())[:LEDGER_DIGITS]
        self._key = Ed25519PrivateKey.from_private_bytes(write_once(home / "checkpoints.key", os.urandom(32)))

    def begin(self) -> bool:
        """The file is there from now on; True when it was not."""
        try:
            os.close(os.open(private_folder(self.path.parent) / self.path.name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return False
        return True

    def add(self, number: int, digest: str, at: datetime) -> None:
        """One line, written at once, so that processes do not write into each other's."""
        said = Checkpoint(ledger=self._ledger, number=number, hash=digest, at=at).model_dump(mode="json")
        line = canonical({**said, "signature": self._key.sign(canonical(said)).hex()}) + b"\n"
        handle = os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        try:
            os.write(handle, line)
            os.fsync(handle)
        finally:
            os.close(handle)

    def last(self) -> Checkpoint | None:
        """The furthest of the last few lines; those that cannot be read or are not signed by us are `verify`'s matter."""
        if not self.path.exists():
            return None
        with self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - TAIL_BYTES))
            lines = file.read().splitlines()
        found = [one for line in lines if (one := self._read(line)) is not None and one.ledger == self._ledger]
        return max(found, key=lambda one: one.number, default=None)

    def differences(self, hashes: dict[int, str]) -> Iterator[str]:
        """Sentences: where the chain, as (number → hash), is not what it was when a checkpoint was made."""
        if not self.path.exists():
            return
        furthest: Checkpoint | None = None
        with self.path.open("rb") as file:
            for place, line in enumerate(file, 1):
                one = self._read(line)
                if one is None:
                    yield f"Line {place} of {self.path} is no checkpoint of ours, or was changed."
                elif one.ledger == self._ledger and one.number in hashes and hashes[one.number] != one.hash:
                    yield f"Record {one.number} is not the one that the checkpoint of {one.at:%Y-%m-%d %H:%M} saw."
                elif one.ledger == self._ledger and (furthest is None or one.number > furthest.number):
                    furthest = one
        if furthest is not None and furthest.number > len(hashes):
            yield (
                f"The end of the chain was cut off: it has {len(hashes)} records, and on {furthest.at:%Y-%m-%d %H:%M} it had "
                f"{furthest.number}."
            )

    def _read(self, line: bytes) -> Checkpoint | None:
        with suppress(ValueError, TypeError, AttributeError, InvalidSignature):
            said: dict[str, Json] = json.loads(line)
            signature = bytes.fromhex(said.pop("signature"))
            self._key.public_key().verify(signature, canonical(said))
            return Checkpoint.model_validate(said)
        return None
