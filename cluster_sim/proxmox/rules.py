"""The firewall as a value: the files in which a cluster and each guest keep theirs, what a rule may be, and whom the rules let in.

Rules and words are those of pve-firewall (commit 6f1311f of 2026-01-16: Firewall.pm and API2/Firewall), read 2026-12-01. No packet is
dropped by it here: `lets_in` says what a node would do. Changing it is in firewall.py.
"""

from __future__ import annotations

import copy
import hashlib
import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from .errors import bad_parameters

Row = dict[str, Any]
Level = Literal["cluster", "group", "vm"]
NAME = r"[A-Za-z][A-Za-z0-9\-_]+"
ENTRIES_MAX = 15
"""Numbers in one list of ports; a range counts as two."""
WITH_PORTS = frozenset({"tcp", "6", "udp", "17", "udplite", "136", "dccp", "33", "sctp", "132"})
PROTOCOLS = {
    "ip": 0, "icmp": 1, "igmp": 2, "ipencap": 4, "tcp": 6, "egp": 8, "igp": 9, "udp": 17, "dccp": 33, "ipv6": 41, "ipv6-route": 43,
    "ipv6-frag": 44, "rsvp": 46, "gre": 47, "esp": 50, "ah": 51, "icmpv6": 58, "ipv6-icmp": 58, "ipv6-nonxt": 59, "ipv6-opts": 60,
    "eigrp": 88, "ospf": 89, "ipip": 94, "pim": 103, "vrrp": 112, "l2tp": 115, "isis": 124, "sctp": 132, "udplite": 136,
}  # fmt: skip
"""Of /etc/protocols, those that somebody filters."""
SERVICES = {
    "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "tftp": 69, "http": 80, "pop3": 110, "ntp": 123, "imap2": 143,
    "snmp": 161, "https": 443, "ldap": 389, "submissions": 465, "syslog": 514, "submission": 587, "ldaps": 636, "imaps": 993, "pop3s": 995,
    "nfs": 2049, "mysql": 3306, "postgresql": 5432, "amqp": 5672,
}  # fmt: skip
"""Of /etc/services, those that somebody names."""
_BOTH = """
    destination-unreachable communication-prohibited port-unreachable redirect echo-request echo-reply router-advertisement
    router-solicitation time-exceeded ttl-zero-during-transit ttl-zero-during-reassembly parameter-problem
"""
_V4 = """
    network-unreachable host-unreachable protocol-unreachable fragmentation-needed source-route-failed network-unknown host-unknown
    network-prohibited host-prohibited TOS-network-unreachable TOS-host-unreachable host-precedence-violation precedence-cutoff
    source-quench network-redirect host-redirect TOS-network-redirect TOS-host-redirect ip-header-bad required-option-missing
    timestamp-request timestamp-reply address-mask-request address-mask-reply any
"""
_V6 = """
    no-route beyond-scope address-unreachable failed-policy reject-route packet-too-big bad-header unknown-header-type unknown-option
    neighbor-solicitation neighbour-solicitation neighbor-advertisement neighbour-advertisement
"""
ICMP, ICMPV6 = frozenset((_BOTH + _V4).split()), frozenset((_BOTH + _V6).split())
"""Types, as they may be named."""
_OF_ICMP = {"icmp": ICMP, "icmpv6": ICMPV6, "ipv6-icmp": ICMPV6}
_TYPES: dict[Level, tuple[str, ...]] = {
    "vm": ("in", "out", "group"),
    "group": ("in", "out", "forward"),
    "cluster": ("in", "out", "forward", "group"),
}


@dataclass
class RuleFile:
    """What `cluster.fw` or a guest's `<vmid>.fw` holds."""

    options: Row = field(default_factory=dict)
    rules: list[Row] = field(default_factory=list)
    aliases: dict[str, Row] = field(default_factory=dict)
    """By name in small letters."""
    ipsets: dict[str, list[Row]] = field(default_factory=dict)
    ipset_comments: dict[str, str] = field(default_factory=dict)
    groups: dict[str, list[Row]] = field(default_factory=dict)
    """Security groups; only the cluster has them."""
    group_comments: dict[str, str] = field(default_factory=dict)


@dataclass
class Firewall:
    cluster: RuleFile = field(default_factory=RuleFile)
    guests: dict[int, RuleFile] = field(default_factory=dict)

    def of(self, vmid: int) -> RuleFile:
        """A guest that nobody wrote rules for has an empty file."""
        return self.guests.setdefault(vmid, RuleFile())

    def clone(self, source: int, newid: int) -> None:
        """A clone has the rules of what it was cloned from."""
        if source in self.guests:
            self.guests[newid] = copy.deepcopy(self.guests[source])


def digest(rows: Iterable[Row]) -> str:
    """As copy_list_with_digest reckons it."""
    text = "".join(f"{key}:{row[key]}\n" for row in rows for key in sorted(row))
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


@cache
def macros() -> dict[str, tuple[str, ...]]:
    """Name → what it lets through, each as `tcp/80`, `47`, `udp/500<500`."""
    lines = Path(__file__).with_name("macros.txt").read_text("utf-8").splitlines()
    return {name: tuple(told.split()) for name, _, told in (line.partition(" ") for line in lines if not line.startswith("#"))}


# What a rule may be


def ports(text: str, *, icmp: bool = False) -> None:
    """Raises ValueError in Proxmox's words. `icmp`: types of ICMP used to stand in the place of ports."""
    items, count = text.split(","), 0
    if text and not all(items):
        raise ValueError("extraneous commas in list")
    for item in filter(None, items):
        if span := re.fullmatch(r"(\d+):(\d+)", item):
            count, low, high = count + 2, *map(int, span.groups())
            for port in (low, high):
                if port > 65535:
                    raise ValueError(f"invalid port '{port}'")
            if low > high:
                raise ValueError(f"backwards range '{low}:{high}' not allowed, did you mean '{high}:{low}'?")
        elif item.isdecimal():
            count += 1
            if int(item) > 65535:
                raise ValueError(f"invalid port '{item}'")
        elif not (icmp and item in ICMP | ICMPV6) and item not in SERVICES:
            raise ValueError(f"invalid port '{item}'")
    if count > ENTRIES_MAX:
        raise ValueError("too many entries in port list (> 15 numbers)")


def addresses(text: str) -> int | None:
    """The version of IP that is spoken of; None: a set, or an alias. Raises ValueError in Proxmox's words."""
    if not text or re.fullmatch(r"\+\S+", text) or re.fullmatch(rf"(dc/|guest/)?{NAME}", text):
        return None
    items = text.split(",")
    if not all(items):
        raise ValueError("extraneous commas in list")
    versions = {_version(item) for item in items}
    if len(versions) > 1:
        raise ValueError(f"detected mixed ipv4/ipv6 addresses in address list '{text}'")
    if len(items) > 1 and "-" in text:
        raise ValueError("you can't use a range in a list")
    return versions.pop()


def _version(item: str) -> int:
    try:
        low, _, high = item.partition("-")
        first = ipaddress.ip_address(low) if high else ipaddress.ip_network(item)
        if high and (not (last := ipaddress.ip_address(high)).version == first.version or last < first):  # type: ignore[operator]
            raise ValueError
    except ValueError:
        raise ValueError(f"invalid IP address: {item}") from None
    return first.version


def protocol(text: str) -> None:
    if text and text not in PROTOCOLS and not (text.isdecimal() and int(text) in PROTOCOLS.values()):
        raise ValueError(f"unknown protocol '{text}'")


def verify(rule: Row, level: Level, own: RuleFile, cluster: RuleFile) -> Row:
    """The rule as it is kept: its macro as it is spelt, and with the version of IP that it speaks of."""

    def refuse(name: str, text: str) -> None:
        raise bad_parameters({name: text})

    kind, action = rule["type"], rule["action"]
    if kind not in _TYPES[level]:
        refuse("type", f"invalid rule type '{kind}' for rule_env '{level}'")
    if kind != "group" and action not in ("ACCEPT", "DROP", "REJECT"):
        refuse("action", f"unknown action '{action}'")
    if kind == "forward" and action == "REJECT":
        refuse("action", "cannot define REJECT rules on forward chain")
    if iface := rule.get("iface"):
        if level == "group":
            refuse("type", "parameter -i not allowed for this rule type")
        if level == "vm" and not re.fullmatch(r"net\d+", iface):
            refuse("iface", r"value does not match the regex pattern 'net\d+'")
    if macro := rule.get("macro"):
        spelt = next((name for name in macros() if name.lower() == macro.lower()), None)
        if spelt is None:
            refuse("macro", f"unknown macro '{macro}'")
        rule["macro"] = spelt
    of_icmp = _OF_ICMP.get(proto := rule.get("proto", ""))
    if rule.get("dport") and not proto:
        refuse("proto", "missing property - 'dport' requires this property")
    if rule.get("dport") and proto not in WITH_PORTS and of_icmp is None:
        refuse("dport", f"protocol '{proto}' does not support ports")
    if icmp_type := rule.get("icmp-type"):
        if of_icmp is None:
            refuse("proto", "missing property - 'icmp-type' requires this property")
        if rule.get("dport"):
            refuse("icmp-type", "'icmp-type' cannot be specified together with 'dport'")
        if icmp_type not in (of_icmp or ()):
            refuse("icmp-type", f"invalid icmp-type '{icmp_type}' for proto '{proto}'")
    if rule.get("sport") and not proto:
        refuse("proto", "missing property - 'sport' requires this property")
    if rule.get("sport") and proto not in WITH_PORTS:
        refuse("sport", f"protocol '{proto}' does not support ports")
    versions = {4 if proto == "icmp" else 6} if of_icmp else set[int]()
    for name in ("source", "dest"):
        version, problem = _referred(rule.get(name, ""), own, cluster)
        if problem:
            refuse(name, problem)
        versions |= {version} if version else set()
        if len(versions) > 1:
            refuse(name, "detected mixed ipv4/ipv6 addresses in rule")
    if macro:
        _assert_macro(rule, refuse)
    rule.pop("ipversion", None)
    return rule | ({"ipversion": versions.pop()} if versions else {})


def _referred(text: str, own: RuleFile, cluster: RuleFile) -> tuple[int | None, str]:
    """(version of IP, what is wrong) of a source or destination, which may name a set or an alias."""
    if text.startswith("+"):
        named = re.fullmatch(rf"\+(?:guest/|dc/|sdn/)?({NAME})", text)
        if named is None:
            return None, f"invalid ipset name '{text}'"
        there = named[1] in own.ipsets or named[1] in cluster.ipsets
        return None, "" if there else f"no such ipset '{named[1]}'"
    if named := re.fullmatch(rf"(dc/|guest/)?({NAME})", text):
        found = own.aliases.get(named[2].lower()) or cluster.aliases.get(named[2].lower())
        return (_version(found["cidr"]), "") if found else (None, f"no such alias '{text}'")
    return addresses(text), ""


def _assert_macro(rule: Row, refuse: Any) -> None:
    """What a macro says itself cannot be said otherwise beside it."""
    for told in macros()[rule["macro"]]:
        proto, ports_of, source_ports = _parts(told)
        for name, value in (("proto", proto), ("dport", ports_of), ("sport", source_ports)):
            if value and rule.get(name) and rule[name] != value:
                refuse(name, f"parameter '{name}' already define in macro (value = '{value}')")


def _parts(told: str) -> tuple[str, str, str]:
    rest, _, source_ports = told.partition("<")
    proto, _, of = rest.partition("/")
    return proto, of, source_ports


# Whom the rules let in


def lets_in(firewall: Firewall, vmid: int, guarded: bool, proto: str, port: int, source: str) -> bool:
    """Whether a new connection from `source` comes in. `guarded`: its card has `firewall=1`. Rules count when the cluster's firewall is on,
    the guest's is, and its card's is; then the first that fits decides, and behind them the guest's policy."""
    cluster, guest = firewall.cluster, firewall.of(vmid)
    if not (cluster.options.get("enable") and guest.options.get("enable") and guarded):
        return True
    for rule in _flat(guest.rules, cluster):
        if rule["type"] == "in" and rule.get("enable") and _fits(rule, guest, cluster, proto, port, source):
            return bool(rule["action"] == "ACCEPT")
    return bool(guest.options.get("policy_in", "DROP") == "ACCEPT")


def _flat(rules: list[Row], cluster: RuleFile) -> Iterator[Row]:
    for rule in rules:
        if rule["type"] == "group" and rule.get("enable"):
            yield from cluster.groups.get(rule["action"], ())
        else:
            yield rule


def _fits(rule: Row, guest: RuleFile, cluster: RuleFile, proto: str, port: int, source: str) -> bool:
    if rule.get("macro"):
        alike = (_parts(told) for told in macros()[rule["macro"]])
        if not any(_same(said, proto) and (not of or _among(of, port)) for said, of, _ in alike):
            return False
    elif (rule.get("proto") and not _same(rule["proto"], proto)) or (rule.get("dport") and not _among(rule["dport"], port)):
        return False
    return not rule.get("source") or _from(rule["source"], guest, cluster, source)


def _same(said: str, proto: str) -> bool:
    return said in (proto, str(PROTOCOLS.get(proto)))


def _among(text: str, port: int) -> bool:
    spans = (item.partition(":") for item in text.split(","))
    return any(SERVICES.get(low) == port or (low.isdecimal() and int(low) <= port <= int(high or low)) for low, _, high in spans)


def _from(text: str, guest: RuleFile, cluster: RuleFile, source: str) -> bool:
    if text.startswith("+"):
        name = text.rpartition("/")[2].removeprefix("+")
        rows = guest.ipsets.get(name, cluster.ipsets.get(name, []))
        return any(_from(row["cidr"], guest, cluster, source) != bool(row.get("nomatch")) for row in rows)
    if named := re.fullmatch(rf"(?:dc/|guest/)?({NAME})", text):
        found = guest.aliases.get(named[1].lower()) or cluster.aliases.get(named[1].lower())
        return bool(found) and _from(found["cidr"], guest, cluster, source)  # type: ignore[index]
    one = ipaddress.ip_address(source)
    for item in text.split(","):
        low, _, high = item.partition("-")
        if high and ipaddress.ip_address(low) <= one <= ipaddress.ip_address(high):  # type: ignore[operator]
            return True
        if not high and one in ipaddress.ip_network(item):
            return True
    return False
