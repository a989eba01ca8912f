"""Receivers of notices: a webhook and a mail server, as far as one message goes."""

from __future__ import annotations

import json
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.loopback import Answer, Asked, http_server, serving


@contextmanager
def webhook(took: list[dict[str, Any]], status: int = 200) -> Iterator[str]:
    def answer(asked: Asked) -> Answer:
        took.append(json.loads(asked.body))
        return Answer(status)

    with http_server(answer) as address:
        yield f"json://user:hook-canary@{address.removeprefix('http://')}/berth"


@contextmanager
def mail(took: list[str]) -> Iterator[str]:
    """RFC 5321 as far as one message goes, with a login by PLAIN (RFC 4954) and without encryption."""

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            self.say("220 ready")
            while line := self.rfile.readline().decode().strip():
                match line.upper().split()[0]:
                    case "EHLO":
                        self.say("250-here")
                        self.say("250 AUTH PLAIN")
                    case "AUTH":
                        self.say("235 welcome")
                    case "DATA":
                        self.say("354 go on")
                        took.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
                        self.say("250 taken")
                    case "QUIT":
                        self.say("221 bye")
                        return
                    case _:
                        self.say("250 well")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    port = server.server_address[1]
    where = "smtp=127.0.0.1&from=b@example.org&to=ops@example.org&mode=insecure"
    with serving(server):
        yield f"mailto://berth:mail-canary@127.0.0.1:{port}?{where}"
