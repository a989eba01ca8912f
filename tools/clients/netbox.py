"""Addresses of a NetBox, read and registered through pynetbox over TLS that is always verified. Which are registered is decided elsewhere.

A registration of ours is known by its description, which begins with the run and the part that it is for. Facts of the API: NetBox 4.6.8,
netbox/ipam/filtersets.py, models/ip.py and api/serializers_/ip.py, 2026-08-22.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address, ip_interface, ip_network
from typing import Any

import requests

from tools.rules.names.foreign import theirs
from tools.rules.names.scanned import display
from tools.values.snapshot import Registered
from tools.values.trouble import RequestProblem, WorldProblem

CONNECT_SECONDS_MAX = 5
ANSWER_SECONDS_MAX = 40
PAGE = 1000
"""The most that NetBox gives at once by default (MAX_PAGE_SIZE)."""
DESCRIPTION_CHARACTERS_MAX = 200
_OURS = re.compile(r"Berth run-\S+ \S+: VM (\d{1,9}) \(")
_RIGHTS = "view, add and delete of `ipam.ipaddress`, and view of `ipam.iprange`"
WITHOUT = "To go on without it, take `ipam` out of the site file, start Berth again and say retry."


class _Patient(requests.Session):
    """Every answer is waited for so long and no longer. An authority's file that is told with each request wins over REQUESTS_CA_BUNDLE of
    the environment, which one that is told to the session does not (requests 2.32)."""

    def __init__(self, ca_file: str) -> None:
        super().__init__()
        self._always = {"timeout": (CONNECT_SECONDS_MAX, ANSWER_SECONDS_MAX), **({"verify": ca_file} if ca_file else {})}

    def request(self, *args: Any, **more: Any) -> requests.Response:
        return super().request(*args, **{**self._always, **more})


class Netbox:
    def __init__(self, url: str, token: str, ca_file: str = "") -> None:
        import pynetbox

        self.url = url
        api = pynetbox.api(url, token=token)
        api.http_session = _Patient(ca_file)
        self._addresses, self._ranges = api.ipam.ip_addresses, api.ipam.ip_ranges

    def taken(self, subnets: Sequence[str]) -> tuple[Registered, ...]:
        """Addresses, whatever their status, and of ranges that are marked as populated what lies in the subnets."""
        if not subnets:
            return ()
        with self._words():
            alone = [dict(one) for one in self._addresses.filter(parent=list(subnets), limit=PAGE)]
            # All of them: `parent` leaves out a range that crosses the edge of a subnet.
            spans = [dict(one) for one in self._ranges.filter(mark_populated="true", limit=PAGE)]
            return (
                *(Registered(address=_host(one["address"]), who=_who(one), vm_id=_vm_id(one)) for one in alone),
                *(found for one in spans for subnet in subnets if (found := _within(one, subnet))),
            )

    def assert_registers(self) -> None:
        """By what NetBox says that may be sent to it (OPTIONS; netbox/api/metadata.py): of releasing it says nothing."""
        import pynetbox

        with self._words():
            try:
                self._addresses.choices()
            except ValueError as error:
                if isinstance(error, pynetbox.RequestError | pynetbox.ContentError):
                    raise
                raise self._refused("this token may not register addresses", f"Give it {_RIGHTS}") from None
            list(self._ranges.filter(limit=1, parent=["192.0.2.0/24"]))

    def reserve(self, address: str, owner: str, note: str, dns_name: str) -> bool:
        host = _host(address)
        with self._words(host):
            if self._is_ours(host, owner):
                return False
            given = {"address": address, "status": "active", "description": note[:DESCRIPTION_CHARACTERS_MAX], "dns_name": dns_name}
            made = self._addresses.create(given)
            # A NetBox may let one address be registered twice: then whoever came second gives way.
            try:
                self._is_ours(host, owner)
            except RequestProblem:
                made.delete()
                raise
            return True

    def release(self, owner: str, goes: Callable[[str], bool]) -> tuple[str, ...]:
        with self._words():
            found = [
                one for one in self._addresses.filter(description__isw=owner, limit=PAGE) if dict(one)["description"].startswith(owner)
            ]
            gone = [one for one in found if goes(_host(dict(one)["address"]))]
            for one in gone:
                one.delete()
            return tuple(_host(dict(one)["address"]) for one in gone)

    def _is_ours(self, host: str, owner: str) -> bool:
        found = [dict(one) for one in self._addresses.filter(address=host, limit=PAGE)]
        if others := [one for one in found if not str(one["description"]).startswith(owner)]:
            raise taken(host, _who(others[0]))
        return bool(found)

    @contextmanager
    def _words(self, host: str = "") -> Iterator[None]:
        """What its answers mean, in words."""
        import pynetbox

        try:
            yield
        except pynetbox.RequestError as error:
            code, said = error.req.status_code, theirs(str(error.error))
            if code == 400 and re.search(r"Duplicate IP address|inside range", str(error.error)):
                raise taken(host, f"NetBox: {said}") from None
            if code in (401, 403):
                raise self._refused(f"it does not let this token do that: {said}", f"Give it a token with {_RIGHTS}") from None
            raise self._refused(f"it answered {code}: {said}", "Look into its log") from None
        except (pynetbox.ContentError, pynetbox.AllocationError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._refused(f"it answered something else than NetBox does ({type(error).__name__})", "Look at `ipam.url`") from None
        except requests.RequestException as error:
            raise WorldProblem(
                "NetBox is away.",
                f"{self.url} did not answer: {theirs(str(error))}",
                f"Look whether it runs and whether its certificate is trusted (`ipam.ca_file`), then say retry. {WITHOUT}",
                retryable=True,
            ) from None

    def _refused(self, why: str, helps: str) -> WorldProblem:
        return WorldProblem("NetBox refuses.", f"{self.url} was asked: {why}.", f"{helps}, then say retry. {WITHOUT}")


def taken(address: str, who: str) -> RequestProblem:
    return RequestProblem(
        "An address is taken.",
        f"{address} is taken by {who}.",
        "Release it in NetBox, then say retry; or say leave, and ask again: another one is chosen, unless you say one.",
    )


def _host(address: str) -> str:
    return str(ip_interface(address).ip)


def _within(row: dict[str, Any], subnet: str) -> Registered | None:
    """What a range has of the subnet."""
    network = ip_network(subnet)
    begin, end = ip_address(_host(row["start_address"])), ip_address(_host(row["end_address"]))
    if begin.version != network.version:
        return None
    first, last = max(int(begin), int(network.network_address)), min(int(end), int(network.broadcast_address))
    spelled = [str(type(begin)(one)) for one in (first, last)]
    return Registered(address=spelled[0], last=spelled[1], who="NetBox (a range that it keeps)") if first <= last else None


def _who(row: dict[str, Any]) -> str:
    status = row.get("status")
    said = row.get("dns_name") or row.get("description") or (status.get("label") if isinstance(status, dict) else "") or "no name"
    return f"NetBox ({display(said)})"


def _vm_id(row: dict[str, Any]) -> int:
    found = _OURS.match(str(row.get("description") or ""))
    return int(found[1]) if found else 0
