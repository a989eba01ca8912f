"""A Vault as far as reading KV version 2 goes: the paths, headers, statuses and errors that hvac 2.4.0 sends and tells apart, and the
metadata of a version as the schema at github.com/api-evangelist/vault has it (seen 2026-11-30). It was never held against a real one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


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
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, said = vault.answer(self.command, self.path.partition("?")[0], self.headers.get("x-vault-token", ""))
            if self.headers.get("x-vault-request") != "true":
                status, said = 412, {"errors": ["the request came without X-Vault-Request"]}
            body = vault.says_instead or json.dumps(said).encode()
            self.send_response(200 if vault.says_instead else status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_DELETE = do_GET

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
