"""The front door: finds out who calls and what is meant, asks the address, and puts the answer into Proxmox's envelope."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import hmac
import json
import re
import traceback
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from ..http import Answer, Request
from . import bodies, history
from .access import Who, as_of
from .addresses import ADDRESSES
from .call import Address, Call
from .cluster import Cluster
from .configuration import MASKED
from .errors import Refusal, bad_parameters, failed, forbidden
from .parameters import TEXT, VMID, check

_PATH_VALUES = {"vmid"}
_TICKET_S = 7200
_REQUESTS_MAX = 20_000
LOOKED_BACK_GUESTS_MAX = 2000
"""20,000 guests on 1,000 nodes took 160 s of processor time and 1.8 GB before anything was asked (2026-12-01)."""


@dataclass(frozen=True)
class Logged:
    """One request, as tests read it."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    status: int = 0


@dataclass
class Front:
    cluster: Cluster
    requests: deque[Logged] = field(default_factory=lambda: deque(maxlen=_REQUESTS_MAX))
    _tickets: dict[str, tuple[str, float]] = field(default_factory=dict)
    _routes: list[tuple[Address, re.Pattern[str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._routes = [(a, re.compile(_pattern(a.path))) for a in ADDRESSES]

    def __call__(self, request: Request) -> Answer:
        self.cluster.settle()
        bodies.notice(self.cluster)
        if request.raw_path == "/_sim/requests":
            return Answer(200, json.dumps([vars(r) for r in self.requests]).encode(), {"Content-Type": "application/json"})
        seen = re.fullmatch(r"/api2/(json|extjs)(/.*)", request.raw_path)
        if seen is None:
            return self._refused(Refusal(501, f"Method '{request.method} {request.path}' not implemented"), "json")
        raw = re.sub(r"//+", "/", seen[2]).rstrip("/") or "/"
        path = "/".join(unquote(part) for part in raw.split("/"))
        given, form = [*request.query], list[tuple[str, str]]()
        try:
            files, form = _body(request)
            given += form
            answer = self._answer(request, path, given, form, files)
        except Refusal as refusal:
            answer = self._refused(refusal, seen[1])
        except Exception as bug:
            traceback.print_exc()
            answer = self._refused(failed(f"internal error of cluster_sim: {bug!r}"), seen[1])
        else:
            answer = _enveloped(answer, seen[1])
        shown = {name: MASKED if name.endswith("password") else value for name, value in form}
        self.requests.append(Logged(request.method, path, dict(request.query), shown, answer.status))
        delay_s = answer.delay_s + self.cluster.faults.delay_s(request.method, path)
        headers = {**answer.headers, **self._headers()}
        return Answer(answer.status, answer.body, headers, answer.reason, delay_s)

    def look_back(self) -> None:
        """Computes the last day before anyone asks, so that the first scan is as quick as the others. Of a large cluster, when it is asked
        for: each point is the sum of all guests of a node."""
        self.cluster.settle()
        if len(self.cluster.guests) > LOOKED_BACK_GUESTS_MAX:
            return
        for node in filter(self.cluster.online, self.cluster.nodes):
            history.of_node(Call(self.cluster, Who("root@pam"), {"node": node, "timeframe": "day"}))

    def _answer(
        self,
        request: Request,
        path: str,
        given: list[tuple[str, str]],
        form: list[tuple[str, str]],
        files: dict[str, tuple[str, bytes]],
    ) -> Any:
        if (request.method, path) == ("POST", "/access/ticket"):
            return self._ticket(dict(form))
        found = self._find(request.method, path)
        who = Who("") if found and found[0].open_to_all else self._who(request)
        if found is None:
            raise Refusal(501, f"Method '{request.method} {path}' not implemented")
        if path.startswith("/cluster/ha/rules") and self.cluster.major < 9:
            raise Refusal(501, f"Method '{request.method} {path}' not implemented")
        address, here = found
        fault = self.cluster.faults.of_request(request.method, path)
        if fault is not None and not fault.done:
            raise Refusal(fault.status, fault.reason)
        self._permitted(address, who, here)
        self._reachable(here)
        _no_conflict(here, given, request.query, form)
        values = check([*here.items(), *(p for p in given if p[0] not in here)], _takes(address), address.families)
        if self.cluster.faults.comes_twice(request.method, path):
            address.answer(Call(self.cluster, who, values, files))
        answer = address.answer(Call(self.cluster, who, values, files))
        if fault is not None:
            raise Refusal(fault.status, fault.reason)
        return answer

    def _find(self, method: str, path: str) -> tuple[Address, dict[str, str]] | None:
        for address, pattern in self._routes:
            if address.method == method and (seen := pattern.fullmatch(path)):
                return address, seen.groupdict()
        return None

    def _permitted(self, address: Address, who: Who, here: dict[str, str]) -> None:
        if address.needs is not None:
            path = address.needs.path.format(**here)
            any_of = sorted(as_of(self.cluster.major, address.needs.any_of))
            if not self.cluster.may(who, path, *any_of):
                raise forbidden(path, *any_of)

    def _reachable(self, here: dict[str, str]) -> None:
        """Whichever node was asked hands the request to the one it is about, if that can be found and answers."""
        node = here.get("node")
        if node is None:
            return
        if node not in self.cluster.nodes:
            raise failed(f"hostname lookup '{node}' failed - failed to get address info for: {node}: Name or service not known")
        if not self.cluster.online(node):
            raise Refusal(595, "No route to host")

    def _who(self, request: Request) -> Who:
        said = request.headers.get("Authorization", "")
        if said.startswith("PVEAPIToken"):
            return self._token(said.removeprefix("PVEAPIToken").lstrip("= "))
        # A ticket may also come where a token does (pve-http-server, 2026-11-29): clients that keep no cookies send it so.
        cookie = re.search(r"PVEAuthCookie=([^;]+)", f"{request.headers.get('Cookie', '')};{said}")
        if cookie is None:
            raise self._unauthorized("No ticket")
        ticket = unquote(cookie[1])
        user, made_at = self._tickets.get(ticket, ("", 0.0))
        if not user or self.cluster.now - made_at > _TICKET_S:
            raise self._unauthorized("Authentication failed!")
        if request.method != "GET" and request.headers.get("CSRFPreventionToken") != self._csrf(ticket):
            raise self._unauthorized("Permission denied - invalid csrf token")
        return Who(user)

    def _token(self, text: str) -> Who:
        seen = re.fullmatch(r"([^\s!]+@[^\s!@]+)!([^\s=]+)[=:](\S+)", text)
        user = self.cluster.access.users.get(seen[1]) if seen else None
        token = user.tokens.get(seen[2]) if user and seen else None
        if (
            seen is None
            or user is None
            or token is None
            or not user.may_log_in(self.cluster.now)
            or not hmac.compare_digest(token.secret, seen[3])
        ):
            raise self._unauthorized("Authentication failed!")
        if token.expires_at and token.expires_at < self.cluster.now:
            raise self._unauthorized("Authentication failed!")
        return Who(seen[1], seen[2])

    def _ticket(self, form: dict[str, str]) -> dict[str, Any]:
        name = form.get("username", "")
        if "@" not in name and form.get("realm"):
            name = f"{name}@{form['realm']}"
        user = self.cluster.access.users.get(name)
        given = form.get("password", "")
        renewed = self._tickets.get(given, ("", 0.0))[0] == name and name != ""
        if user is None or not user.may_log_in(self.cluster.now) or not (renewed or (user.password is not None and user.password == given)):
            raise self._unauthorized("authentication failure")
        stamp = f"PVE:{name}:{int(self.cluster.now):08X}"
        ticket = f"{stamp}::{self.cluster.chance(stamp, self.cluster.fresh()).hex()}"
        self._tickets[ticket] = (name, self.cluster.now)
        return {
            "username": name,
            "ticket": ticket,
            "CSRFPreventionToken": self._csrf(ticket),
            "clustername": self.cluster.name,
            "cap": {},
        }

    def _csrf(self, ticket: str) -> str:
        return f"{ticket.split(':')[2]}:{self.cluster.chance('csrf', ticket).hex()[:43]}"

    def _unauthorized(self, reason: str) -> Refusal:
        """Late on purpose, as on a real cluster: guessing must be slow."""
        return Refusal(401, reason, delay_s=self.cluster.timing.unauthorized_s / self.cluster.agenda.pace)

    def _refused(self, refusal: Refusal, form: str) -> Answer:
        reason = refusal.message.splitlines()[0].encode("latin-1", "replace").decode("latin-1") if refusal.message else None
        if refusal.status == 401:
            return Answer(401, b"", {"Content-Type": "application/json;charset=UTF-8"}, reason, refusal.delay_s)
        body: dict[str, Any] = {"data": None, "message": refusal.message.rstrip("\n") + "\n"}
        body |= {"errors": refusal.errors} if refusal.errors else {}
        if form == "extjs":
            return _json(200, {**body, "success": 0, "status": refusal.status})
        return _json(refusal.status, body, reason)

    def _headers(self) -> dict[str, str]:
        date = dt.datetime.fromtimestamp(self.cluster.clock.now(), dt.UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
        return {"Server": "pve-api-daemon/3.0", "Date": date, "Cache-Control": "max-age=0", "Pragma": "no-cache", "Expires": date}


def _pattern(path: str) -> str:
    # A volume's name and a network may have slashes in them and come last; everything else is one part of the path.
    return re.sub(r"\\{(\w+)\\}", lambda m: f"(?P<{m[1]}>.+)" if m[1] in ("volume", "cidr") else f"(?P<{m[1]}>[^/]+)", re.escape(path))


def _takes(address: Address) -> dict[str, Any]:
    names = re.findall(r"\{(\w+)\}", address.path)
    return {**{n: VMID if n in _PATH_VALUES else TEXT for n in names}, **address.takes}


def _no_conflict(
    here: dict[str, str], given: Iterable[tuple[str, str]], query: Iterable[tuple[str, str]], form: list[tuple[str, str]]
) -> None:
    in_uri = {**dict(query), **here}
    for name, value in form if in_uri else ():
        if name in in_uri and in_uri[name] != value:
            raise bad_parameters({name: "duplicate parameter (already defined in URI) with conflicting values!"})


def _body(request: Request) -> tuple[dict[str, tuple[str, bytes]], list[tuple[str, str]]]:
    kind = request.headers.get("Content-Type", "")
    if not request.body:
        return {}, []
    if kind.startswith("multipart/form-data"):
        return _multipart(kind, request.body)
    if kind.startswith("application/json"):
        try:
            data = json.loads(request.body)
        except ValueError:
            raise Refusal(400, "malformed JSON string") from None
        if not isinstance(data, dict):
            raise Refusal(400, "malformed JSON: not a hash")
        return {}, [
            (k, str(int(v)) if isinstance(v, bool) else str(v)) for k, vs in data.items() for v in (vs if isinstance(vs, list) else [vs])
        ]
    return {}, parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)


def _multipart(kind: str, body: bytes) -> tuple[dict[str, tuple[str, bytes]], list[tuple[str, str]]]:
    parsed = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body, policy=email.policy.HTTP)
    files: dict[str, tuple[str, bytes]] = {}
    fields: list[tuple[str, str]] = []
    for part in parsed.iter_parts():
        name, file_name = str(part.get_param("name", header="content-disposition")), part.get_filename()
        content = part.get_payload(decode=True)
        data = content if isinstance(content, bytes) else b""
        if file_name:
            files[name] = (file_name, data)
        else:
            fields.append((name, data.decode("utf-8", "replace")))
    return files, fields


def _enveloped(data: Any, form: str) -> Answer:
    return _json(200, {"data": data} | ({"success": 1} if form == "extjs" else {}))


def _json(status: int, body: Any, reason: str | None = None) -> Answer:
    return Answer(status, json.dumps(body, separators=(",", ":")).encode(), {"Content-Type": "application/json;charset=UTF-8"}, reason)
