"""How a message came, decided at each request from the connection itself: only what surely comes from this machine, or from somebody whom
`berth serve` has authenticated, may have anything carried out. What started the server has no say in it.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import stat
import sys
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from tools.clients.serving import is_loopback
from tools.values.person import Person

FORWARDED = ("forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip")
FORWARDED_BEGINS = "x-forwarded-"

speaker: ContextVar[Person | None] = ContextVar("speaker", default=None)
"""Who sent the message that is worked on; set by the gate that its request came through."""
UNSEEN = "Berth cannot see how this message came."
FROM_AN_AGENT = "An agent sent this message, over A2A."
AGENTS = "/a2a/"
"""Where ADK serves the protocol by which agents talk to agents: what comes there was typed by no person."""


class Gate:
    """Around the app that ADK builds: without authentication, one operator, on this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or speaker.get() is not None:
            await self.app(scope, receive, send)
            return
        token = speaker.set(Person("", only_reads=why_only_reads(scope)))
        try:
            await self.app(scope, receive, send)
        finally:
            speaker.reset(token)


def who_speaks(operator: str, found: Person | None, argv: Sequence[str] | None = None) -> Person:
    """`found` by the connection; without one, in a terminal that runs nothing but the conversation, the operator."""
    if found is None:
        return Person(operator, only_reads="" if is_terminal(sys.argv if argv is None else argv) else UNSEEN)
    return found if found.name else Person(operator, found.roles, found.only_reads)


def is_terminal(argv: Sequence[str]) -> bool:
    """It is `adk run`: no server."""
    program = Path(argv[0]) if argv else Path()
    is_adk = program.stem == "adk" or program.parts[-3:] == ("adk", "cli", "__main__.py")
    return is_adk and tuple(argv[1:2]) == ("run",)


def why_only_reads(scope: Scope | dict[str, Any]) -> str:
    return why_not_a_person(scope) or why_not_local(scope) or why_not_mine(scope) or why_reachable()


def why_not_a_person(scope: Scope | dict[str, Any]) -> str:
    return FROM_AN_AGENT if AGENTS in str(scope.get("path", "")).lower() else ""


def why_not_local(scope: Scope | dict[str, Any]) -> str:
    """Why this request may have come from beyond this machine, in a sentence; empty when it surely did not."""
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope.get("headers") or ()]
    passed = next((name for name, _ in headers if name in FORWARDED or name.startswith(FORWARDED_BEGINS)), "")
    if passed:
        return f"This message was passed on by a proxy ({passed})."
    # So nginx passes on what it got, unless it is told otherwise: with this server's own name, and none of those headers (nginx.org,
    # ngx_http_proxy_module, read 2026-12-01).
    if scope.get("http_version") == "1.0":
        return "This message came by HTTP 1.0, as from a proxy."
    client, server = scope.get("client"), scope.get("server")
    if not client or not client[0]:
        return "This message came through a socket whose other end cannot be seen."
    if not is_loopback(str(client[0])):
        return f"This message came from {client[0]}, which is not this machine."
    if not server or not is_loopback(str(server[0])):
        return "This server does not listen on this machine alone."
    hosts = [value for name, value in headers if name == "host"]
    # A proxy may put its own word for the name there, and hands on whole from which page a browser asks.
    pages = [urlsplit(value).netloc for name, value in headers if name in ("origin", "referer")]
    if len(hosts) != 1 or not all(map(is_loopback_host, (*hosts, *pages))):
        return "This message was sent to another name than this machine's own."
    return ""


def why_not_mine(scope: Scope | dict[str, Any]) -> str:
    """Of what came from this machine: why it may be another account's, where the system can be asked; any account reaches loopback."""
    uid = owner_of(*((str(host), int(port)) for host, port in (scope["client"], scope["server"])))
    if uid is None or str(uid) in {"0", str(os.geteuid()), os.environ.get("SUDO_UID")}:
        return ""
    return f"This message came from another account of this machine (uid {uid})." if uid >= 0 else "Who sent this message was gone already."


def owner_of(client: tuple[str, int], server: tuple[str, int]) -> int | None:
    """The account that has the client's end of a connection within this machine; -1 where nobody has it any more, None where the system
    does not tell (Linux does: proc(5), /proc/net/tcp)."""
    ours, theirs = _as_in_proc(client), _as_in_proc(server)
    if (table := _table(client[0])) is None:
        return None
    # Whoever closed it at once has left a socket without a file, and Linux says 0, which is root, of that.
    fields = next((line.split() for line in table.splitlines() if f" {ours} {theirs} " in line), ())
    return int(fields[7]) if fields and fields[9] != "0" else -1


def _table(address: str) -> str | None:
    name = "tcp6" if _bare(address).version == 6 else "tcp"
    try:
        return Path(f"/proc/self/net/{name}").read_text(encoding="ascii")
    except OSError:
        return None


def _bare(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    found = ipaddress.ip_address(address.partition("%")[0])
    return getattr(found, "ipv4_mapped", None) or found


def _as_in_proc(end: tuple[str, int]) -> str:
    """`0100007F:1F90`: words of 32 bits, as this machine has them in memory."""
    packed = _bare(end[0]).packed
    words = (int.from_bytes(packed[at : at + 4], sys.byteorder) for at in range(0, len(packed), 4))
    return f"{''.join(f'{word:08X}' for word in words)}:{end[1]:04X}"


def why_reachable() -> str:
    """Why others may reach this process, whoever reached it now: a socket of its own that listens to more than this machine."""
    return next(filter(None, map(_beyond, _sockets())), "")


def _sockets() -> Iterable[socket.socket]:
    folder = next((one for one in ("/proc/self/fd", "/dev/fd") if os.path.isdir(one)), "")
    for name in os.listdir(folder) if folder else ():
        try:
            # Of sockets alone: closing a copy of a file's takes this process's locks off that file (fcntl(2)), and a database that is open
            # there has none any more.
            if not stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                continue
            copy = os.dup(int(name))
        except (OSError, ValueError):
            continue
        try:
            one = socket.socket(fileno=copy)
        except OSError:
            os.close(copy)
            continue
        with one:
            yield one


def _beyond(one: socket.socket) -> str:
    try:
        if not one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return ""
        name = one.getsockname()
    except OSError:
        return ""
    if one.family not in (socket.AF_INET, socket.AF_INET6):
        return "This server listens on a socket that others may be behind."
    return "" if is_loopback(str(name[0])) else f"This server listens on {name[0]}, which is more than this machine."


def is_loopback_host(host: str) -> bool:
    """Of a Host header, with or without a port."""
    bare = host.strip().lower()
    if bare.startswith("["):
        inside, bracket, rest = bare[1:].partition("]")
        return bool(bracket) and (not rest or (rest[0] == ":" and rest[1:].isdecimal())) and is_loopback(inside)
    name, colon, port = bare.partition(":")
    if colon and not port.isdecimal():
        return is_loopback(bare)
    return name.rstrip(".") == "localhost" or is_loopback(name)
