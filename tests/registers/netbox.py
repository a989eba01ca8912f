"""A small NetBox on loopback: addresses and ranges of its REST API, at least as strict as the real one.

Its rules are those of NetBox 4.6.8 (netbox-community/netbox, commit 43fe81f9, read 2026-11-30): fields from ipam/api/serializers_/ip.py,
checks from ipam/models/ip.py (duplicates, ranges that are marked as populated), filters from ipam/filtersets.py, pages from
netbox/api/pagination.py, tokens from netbox/api/authentication.py. Stricter than that: a filter or a field that it does not
know is refused.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_interface, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

from tests.certificates_of_a_site import authority
from tests.loopback import JSON, Answer, Asked, http_server
from tools.clients.tls import ensure
from tools.values.site import Ipam

TOKENS = {"Token 0123456789abcdef0123456789abcdef01234567": True, "Bearer nbt_abcdefghijkl.0123456789": True, "Token looks": False}
"""As they are sent, and whether each may add and delete."""
STATUSES = {"active": "Active", "reserved": "Reserved", "deprecated": "Deprecated", "dhcp": "DHCP", "slaac": "SLAAC"}
WRITABLE = {"address", "vrf", "tenant", "status", "role", "dns_name", "description", "comments", "tags", "custom_fields"}
DNS_NAME = re.compile(r"^([0-9A-Za-z_-]+|\*)(\.[0-9A-Za-z_-]+)*\.?$")
FILTERS = {"parent", "address", "description__isw", "mark_populated", "limit", "offset"}
PAGE_MAX = 2
"""Of MAX_PAGE_SIZE: small, so that lists have several pages."""

Said = tuple[int, Any]


@dataclass
class Netbox:
    folder: Path
    url: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    ranges: list[dict[str, Any]] = field(default_factory=list)
    unique: bool = True
    """ENFORCE_GLOBAL_UNIQUE."""
    away: bool = False
    """A proxy before it answers 502, with HTML."""
    asked: list[str] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _count: int = 0

    def site(self, token: str = next(iter(TOKENS))) -> Ipam:
        (self.folder / "token").write_text(token.partition(" ")[2] + "\n")
        return Ipam(url=self.url, token=f"file:{self.folder / 'token'}", ca_file=str(self.folder / "site-ca.pem"))

    def has(self, address: str, **more: Any) -> None:
        assert self.add({"address": address, **more})[0] == 201

    def range(self, first: str, last: str, populated: bool) -> None:
        self.ranges.append({"id": len(self.ranges) + 1, "start_address": first, "end_address": last, "mark_populated": populated})

    def known(self) -> dict[str, str]:
        """Address → what is written about it."""
        return {row["address"]: f"{row['description']}|{row['dns_name']}" for row in self.rows}

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any, auth: str) -> Said:
        self.asked.append(f"{method} {path}")
        if auth not in TOKENS:
            return 403, {
                "detail": f"Invalid v{2 if 'nbt_' in auth else 1} token" if auth else "Authentication credentials were not provided."
            }
        if method == "OPTIONS":
            # BulkOperationMetadata.determine_actions: only what this token may send.
            told = {"address": {"type": "field", "required": True}, "status": {"type": "field", "choices": list(STATUSES)}}
            return 200, {"name": "IP Address List", "actions": {"POST": told} if TOKENS[auth] else {}}
        if method != "GET" and not TOKENS[auth]:
            return 403, {"detail": "You do not have permission to perform this action."}
        with self._guard:
            one = re.fullmatch(r"/api/ipam/ip-addresses/(\d+)/", path)
            if one and method == "DELETE":
                left = [row for row in self.rows if row["id"] != int(one[1])]
                found, self.rows = len(left) < len(self.rows), left
                return (204, None) if found else (404, {"detail": "No IPAddress matches the given query."})
            if path == "/api/ipam/ip-addresses/":
                return self.add(body) if method == "POST" else self._page(path, self.rows, query, "address")
            if path == "/api/ipam/ip-ranges/" and method == "GET":
                return self._page(path, self.ranges, query, "start_address")
        return 404, {"detail": "Not found."}

    def add(self, body: Any) -> Said:
        if not isinstance(body, dict) or (unknown := set(body) - WRITABLE):
            return 400, {"non_field_errors": [f"unknown: {sorted(unknown) if isinstance(body, dict) else body}"]}
        wrong: dict[str, list[str]] = {}
        try:
            address = ip_interface(body["address"])
        except (KeyError, ValueError):
            return 400, {"address": [f"Invalid IP address format: {body.get('address')}"]}
        if address.network.prefixlen == 0:
            wrong["address"] = ["Cannot create IP address with /0 mask."]
        status = body.get("status", "active")
        if status not in STATUSES:
            wrong["status"] = [f"{status} is not a valid choice."]
        elif status == "slaac" and address.version == 4:
            wrong["status"] = ["Only IPv6 addresses can be assigned SLAAC status"]
        if len(body.get("description", "")) > 200:
            wrong["description"] = ["Ensure this field has no more than 200 characters."]
        if body.get("dns_name") and not DNS_NAME.match(body["dns_name"]):
            wrong["dns_name"] = ["Only alphanumeric characters, asterisks, hyphens, periods, and underscores are allowed in DNS names"]
        if self.unique and (same := [row for row in self.rows if ip_interface(row["address"]).ip == address.ip]):
            wrong["address"] = [f"Duplicate IP address found in global table: {same[0]['address']}"]
        for one in self.ranges:
            if one["mark_populated"] and ip_interface(one["start_address"]).ip <= address.ip <= ip_interface(one["end_address"]).ip:
                wrong["address"] = [f"Cannot create IP address {address} inside range {one['start_address']}-{one['end_address']}."]
        if wrong:
            return 400, wrong
        self._count += 1
        made = {
            "id": self._count,
            "url": f"{self.url}/api/ipam/ip-addresses/{self._count}/",
            "display": str(address),
            "family": {"value": address.version, "label": f"IPv{address.version}"},
            "address": str(address),
            "status": {"value": status, "label": STATUSES[status]},
            "assigned_object": None,
            "dns_name": body.get("dns_name", "").lower(),
            "description": body.get("description", ""),
        }
        self.rows.append(made)
        return 201, made

    def _page(self, path: str, rows: list[dict[str, Any]], query: dict[str, list[str]], key: str) -> Said:
        if unknown := set(query) - FILTERS:
            return 400, {"detail": f"unknown filters: {sorted(unknown)}"}
        found = sorted(rows, key=lambda row: (int(ip_interface(row[key]).ip), row["id"]))
        if parents := query.get("parent"):
            found = [row for row in found if any(_all_inside(row, ip_network(one)) for one in parents)]
        if marked := query.get("mark_populated"):
            found = [row for row in found if row["mark_populated"] is (marked == ["true"])]
        if hosts := query.get("address"):
            found = [row for row in found if str(ip_interface(row[key]).ip) in hosts or row[key] in hosts]
        if starts := query.get("description__isw"):
            found = [row for row in found if any(row["description"].lower().startswith(one.lower()) for one in starts)]
        limit = min(int(query.get("limit", ["50"])[0]) or PAGE_MAX, PAGE_MAX)
        begin = int(query.get("offset", ["0"])[0])
        more = {**query, "limit": [str(limit)], "offset": [str(begin + limit)]}
        following = f"{self.url}{path}?{urlencode(more, doseq=True)}" if begin + limit < len(found) else None
        return 200, {"count": len(found), "next": following, "previous": None, "results": found[begin : begin + limit]}


def _all_inside(row: dict[str, Any], parent: IPv4Network | IPv6Network) -> bool:
    """`parent` wants both ends of a range inside."""
    ends = (row[name] for name in ("address", "start_address", "end_address") if name in row)
    return all(ip_interface(one).ip in parent for one in ends)


@contextmanager
def netbox(folder: Path, now: datetime) -> Iterator[Netbox]:
    made = Netbox(folder)

    def answer(asked: Asked) -> Answer:
        body = json.loads(asked.body) if asked.body else None
        given = parse_qs(asked.query, keep_blank_values=True)
        code, said = made.answer(asked.method, asked.path, given, body, asked.headers.get("authorization", ""))
        if made.away:
            return Answer(502, b"<html>Bad Gateway</html>", {"content-type": "text/html"})
        return Answer(code, b"" if said is None else json.dumps(said).encode(), {"content-type": JSON, "api-version": "4.6"})

    certificate = folder / "netbox.pem"
    ensure(certificate, ["127.0.0.1"], authority(folder, now - timedelta(days=1)), now)
    with http_server(answer, certificate=certificate) as made.url:
        yield made
