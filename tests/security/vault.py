"""A Vault as far as reading KV version 2 goes: the paths, headers, statuses and errors that hvac 2.4.0 sends and tells apart, and the
metadata of a version as the schema at github.com/api-evangelist/vault has it (seen 2026-11-30). It was never held against a real one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.loopback import JSON, Answer, Asked, http_server


@dataclass
class Vault:
    token: str
    mounts: dict[str, dict[str, dict[str, Any] | None]]
    """Mount → path → keys and values; None: its latest version is deleted."""
    sealed: bool = False
    may_read: frozenset[str] = frozenset()
    """`mount/data/path`."""
    asked: list[str] = field(default_factory=list)
    says_instead: bytes = b""

    def answer(self, method: str, path: str, token: str) -> tuple[int, dict[str, Any]]:
        self.asked.append(path)
        if self.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if token != self.token or path.removeprefix("/v1/") not in self.may_read:
            return 403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]}
        mount, _, name = path.removeprefix("/v1/").partition("/data/")
        if method != "GET" or name not in self.mounts.get(mount, {}):
            return 404, {"errors": []}
        found = self.mounts[mount][name]
        told = {"created_time": "2026-11-30T06:00:00.0Z", "custom_metadata": None, "destroyed": False, "version": 3}
        if found is None:
            return 404, {"data": {"data": None, "metadata": {**told, "deletion_time": "2026-11-30T07:00:00.0Z"}}}
        whole = {
            "request_id": "r",
            "lease_id": "",
            "renewable": False,
            "lease_duration": 0,
            "wrap_info": None,
            "warnings": None,
            "auth": None,
        }
        return 200, {**whole, "data": {"data": found, "metadata": {**told, "deletion_time": ""}}}


@contextmanager
def served(vault: Vault) -> Iterator[str]:
    def answer(asked: Asked) -> Answer:
        if asked.headers.get("x-vault-request") != "true":
            return Answer.of(412, {"errors": ["the request came without X-Vault-Request"]})
        status, said = vault.answer(asked.method, asked.path, asked.headers.get("x-vault-token", ""))
        return Answer(200, vault.says_instead, {"content-type": JSON}) if vault.says_instead else Answer.of(status, said)

    with http_server(answer) as address:
        yield address
