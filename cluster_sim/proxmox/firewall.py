"""The firewall as it is read and changed: rules by their places, options, aliases, sets of addresses and security groups, of the cluster
and of each guest. What a rule may be is in rules.py; those of nodes and vnets are not simulated.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

from .call import Address, Call, Needs, needs
from .errors import bad_parameters, failed
from .parameters import BOOLEAN, TEXT, Parameter, Takes, choice, integer, matching, split_list
from .rules import ICMP, ICMPV6, NAME, Level, Row, RuleFile, addresses, digest, macros, ports, protocol, verify

_GUEST = "/nodes/{node}/qemu/{vmid}"
_AUDIT, _MODIFY = needs("/", "Sys.Audit"), needs("/", "Sys.Modify")


@dataclass(frozen=True)
class _Place:
    """Where rules stand: a file, and the level that says what they may be."""

    level: Level
    path: str
    reads: Needs
    writes: Needs

    def file(self, call: Call) -> RuleFile:
        """A guest's is found by its id alone, whatever node was asked."""
        return call.cluster.firewall.of(call.vmid) if self.level == "vm" else call.cluster.firewall.cluster

    def rules(self, call: Call) -> list[Row]:
        if self.level != "group":
            return self.file(call).rules
        group = call.values["group"]
        if (rules := self.file(call).groups.get(group)) is None:
            raise failed(f"no such security group '{group}'")
        return rules


_CLUSTER = _Place("cluster", "/cluster/firewall", _AUDIT, _MODIFY)
_GROUP = _Place("group", "/cluster/firewall/groups/{group}", _AUDIT, _MODIFY)
_VM = _Place("vm", f"{_GUEST}/firewall", needs("/vms/{vmid}", "VM.Audit"), needs("/vms/{vmid}", "VM.Config.Network"))


def _assert_same(call: Call, now: str) -> None:
    call.cluster.require_quorum()
    if call.get("digest") and call.values["digest"] != now:
        raise failed("detected modified configuration - file changed by other user? Try again.")


def _with_digest(rows: list[Row]) -> list[Row]:
    return [{**row, "digest": digest(rows)} for row in rows]


def _options_digest(options: Row) -> str:
    return digest([options]) if options else digest([])


# Rules


def _list(place: _Place) -> Callable[[Call], list[Row]]:
    return lambda call: [{**row, "pos": at} for at, row in enumerate(_with_digest(place.rules(call)))]


def _at(place: _Place, call: Call) -> int:
    at = int(call.values["pos"])
    if at >= len(place.rules(call)):
        raise failed(f"no rule at position {at}")
    return at


def _one(place: _Place) -> Callable[[Call], Row]:
    # Its place comes as the text that was asked with; in a list it is a number.
    return lambda call: {**_with_digest(place.rules(call))[_at(place, call)], "pos": str(call.values["pos"])}


def _said(call: Call, before: Row) -> Row:
    """The rule with what this call says of it: an empty text or `-` takes away."""
    rule = dict(before)
    for name in _RULE:
        if (value := call.get(name)) is None or name in ("digest", "pos"):
            continue
        if value in ("", "-"):
            rule.pop(name, None)
        else:
            rule[name] = value.strip() if name == "comment" else value
    return rule


def _create(place: _Place) -> Callable[[Call], None]:
    def create(call: Call) -> None:
        call.cluster.require_quorum()
        rules = place.rules(call)
        rules.insert(0, verify({"enable": 0, **_said(call, {})}, place.level, place.file(call), call.cluster.firewall.cluster))

    return create


def _update(place: _Place) -> Callable[[Call], None]:
    def update(call: Call) -> None:
        rules = place.rules(call)
        _assert_same(call, digest(rules))
        at = _at(place, call)
        if (to := call.get("moveto")) is not None and to != at:
            rule = rules.pop(at)
            # Before the one that stood there; what is behind the last one is the end.
            rules.insert(to if to < at else min(to, len(rules) + 1) - 1, rule)
            return
        rule = _said(call, rules[at])
        for name in split_list(call.get("delete") or ""):
            if name not in _RULE:
                raise bad_parameters({"delete": f"no such property ('{name}')"})
            if name in ("type", "action"):
                raise bad_parameters({"delete": f"unable to delete required property '{name}'"})
            rule.pop(name, None)
        # The file of a rule without it says that it is on.
        rules[at] = verify({"enable": 1, **rule}, place.level, place.file(call), call.cluster.firewall.cluster)

    return update


def _delete(place: _Place) -> Callable[[Call], None]:
    def delete(call: Call) -> None:
        rules = place.rules(call)
        _assert_same(call, digest(rules))
        del rules[_at(place, call)]

    return delete


# Options


def _options(place: _Place) -> Callable[[Call], Row]:
    return lambda call: {**place.file(call).options, "digest": _options_digest(place.file(call).options)}


def _set_options(place: _Place, known: Takes) -> Callable[[Call], None]:
    def set_options(call: Call) -> None:
        options = place.file(call).options
        _assert_same(call, _options_digest(options))
        gone = split_list(call.get("delete") or "")
        if unknown := next((one for one in gone if one not in known), None):
            raise bad_parameters({"delete": f"no such option '{unknown}'"})
        for one in gone:
            options.pop(one, None)
        given = {name: call.values[name] for name in known if name in call.values}
        options |= {name: int(value) if isinstance(value, bool) else value for name, value in given.items()}
        if place.level == "cluster" and int(options.get("enable", 0)) > 1:
            options["enable"] = int(call.cluster.now)

    return set_options


# Aliases


def _aliases(place: _Place) -> Callable[[Call], list[Row]]:
    return lambda call: _with_digest([row for _, row in sorted(place.file(call).aliases.items())])


def _alias(place: _Place, call: Call) -> tuple[str, Row]:
    name = str(call.values["name"]).lower()
    if name not in place.file(call).aliases:
        raise bad_parameters({"name": "no such alias"})
    return name, place.file(call).aliases[name]


def _put_alias(place: _Place, *, new: bool) -> Callable[[Call], None]:
    def put(call: Call) -> None:
        aliases, name = place.file(call).aliases, str(call.values["name"])
        row = {"name": name, "cidr": call.values["cidr"]} | ({"comment": call.values["comment"]} if call.get("comment") else {})
        if new and name.lower() in aliases:
            raise bad_parameters({"name": f"alias '{name}' already exists"})
        if not new:
            _assert_same(call, digest([one for _, one in sorted(aliases.items())]))
            _alias(place, call)
            renamed = call.get("rename")
            if renamed and renamed.lower() != name.lower():
                if renamed.lower() in aliases:
                    raise bad_parameters({"name": f"alias '{renamed}' already exists"})
                del aliases[name.lower()]
                name, row["name"] = renamed, renamed
        aliases[name.lower()] = row

    return put


def _remove_alias(place: _Place) -> Callable[[Call], None]:
    def remove(call: Call) -> None:
        aliases = place.file(call).aliases
        _assert_same(call, digest([one for _, one in sorted(aliases.items())]))
        aliases.pop(str(call.values["name"]).lower(), None)

    return remove


# Sets of addresses


def _ipsets(place: _Place) -> Callable[[Call], list[Row]]:
    return lambda call: _with_digest(_named("name", place.file(call).ipsets, place.file(call).ipset_comments))


def _named(key: str, there: dict[str, list[Row]], comments: dict[str, str]) -> list[Row]:
    return [{key: name} | ({"comment": comments[name]} if comments.get(name) else {}) for name in sorted(there)]


def _ipset(place: _Place, call: Call) -> list[Row]:
    name = call.values["name"]
    if name not in place.file(call).ipsets:
        raise failed(f"no such IPSet '{name}'")
    return place.file(call).ipsets[name]


def _make_ipset(place: _Place) -> Callable[[Call], None]:
    def make(call: Call) -> None:
        file, name, renamed = place.file(call), call.values["name"], call.get("rename")
        if renamed:
            _assert_same(call, digest(_named("name", file.ipsets, file.ipset_comments)))
            if renamed not in file.ipsets:
                raise bad_parameters({"name": f"IPSet '{renamed}' does not exist"})
            if name in file.ipsets and name != renamed:
                raise bad_parameters({"name": f"IPSet '{name}' does already exist"})
            file.ipsets[name] = file.ipsets.pop(renamed)
            comment = call.get("comment", file.ipset_comments.pop(renamed, ""))
        else:
            if name in file.ipsets:
                raise bad_parameters({"name": f"IPSet '{name}' already exists"})
            file.ipsets[name], comment = [], call.get("comment", "")
        file.ipset_comments |= {name: comment} if comment else {}

    return make


def _remove_ipset(place: _Place) -> Callable[[Call], None]:
    def remove(call: Call) -> None:
        name = call.values["name"]
        if _ipset(place, call) and not call.get("force"):
            raise failed(f"IPSet '{name}' is not empty")
        del place.file(call).ipsets[name]
        place.file(call).ipset_comments.pop(name, None)

    return remove


def _add_address(place: _Place) -> Callable[[Call], None]:
    def add(call: Call) -> None:
        rows, cidr = _ipset(place, call), str(call.values["cidr"])
        if alias := re.fullmatch(rf"(?:dc/|guest/)?({NAME})", cidr):
            known = {**call.cluster.firewall.cluster.aliases, **place.file(call).aliases}
            if alias[1].lower() not in known:
                raise failed(f"no such alias '{alias[1]}'")
        else:
            network = ipaddress.ip_network(cidr, strict=False)
            cidr = str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)
        if any(row["cidr"] == cidr for row in rows):
            raise bad_parameters({"cidr": f"address '{cidr}' already exists"})
        if cidr.endswith("/0"):
            raise bad_parameters({"cidr": "a zero prefix is not allowed in ipset entries"})
        told = {"nomatch": 1} if call.get("nomatch") else {}
        rows.insert(0, {"cidr": cidr} | told | ({"comment": call.values["comment"]} if call.get("comment") else {}))

    return add


def _address(place: _Place, call: Call) -> Row:
    found = next((row for row in _ipset(place, call) if row["cidr"] == call.values["cidr"]), None)
    if found is None:
        raise bad_parameters({"cidr": "no such IP/Network"})
    return found


def _change_address(place: _Place) -> Callable[[Call], None]:
    def change(call: Call) -> None:
        _assert_same(call, digest(_ipset(place, call)))
        row = _address(place, call)
        told = {"nomatch": int(call.values["nomatch"])} if call.get("nomatch") is not None else {}
        kept = {"cidr": row["cidr"]} | told | ({"comment": call.values["comment"]} if call.get("comment") else {})
        row.clear()
        row.update(kept)

    return change


def _remove_address(place: _Place) -> Callable[[Call], None]:
    def remove(call: Call) -> None:
        rows = _ipset(place, call)
        _assert_same(call, digest(rows))
        rows[:] = [row for row in rows if row["cidr"] != call.values["cidr"]]

    return remove


# Security groups


def _groups(call: Call) -> list[Row]:
    file = call.cluster.firewall.cluster
    return _with_digest(_named("group", file.groups, file.group_comments))


def _make_group(call: Call) -> None:
    file, name, renamed = call.cluster.firewall.cluster, call.values["group"], call.get("rename")
    if renamed:
        _assert_same(call, digest(_named("group", file.groups, file.group_comments)))
        if renamed not in file.groups:
            raise bad_parameters({"group": f"Security group '{renamed}' does not exist"})
        if name in file.groups and name != renamed:
            raise bad_parameters({"group": f"Security group '{name}' does already exist"})
        file.groups[name] = file.groups.pop(renamed)
        comment = call.get("comment", file.group_comments.pop(renamed, ""))
        for other in (file, *call.cluster.firewall.guests.values()):
            for rule in other.rules:
                if (rule["type"], rule["action"]) == ("group", renamed):
                    rule["action"] = name
    else:
        call.cluster.require_quorum()
        if name in file.groups:
            raise bad_parameters({"group": f"Security group '{name}' already exists"})
        file.groups[name], comment = [], call.get("comment", "")
    file.group_comments |= {name: comment} if comment else {}


def _remove_group(call: Call) -> None:
    name = call.values["group"]
    if _GROUP.rules(call):
        raise failed(f"Security group '{name}' is not empty")
    del call.cluster.firewall.cluster.groups[name]
    call.cluster.firewall.cluster.group_comments.pop(name, None)


# What there is besides


def _macros(call: Call) -> list[Row]:
    """Proxmox describes each; here it has its name alone."""
    return [{"macro": name, "descr": name} for name in macros()]


def _refs(place: _Place) -> Callable[[Call], list[Row]]:
    def refs(call: Call) -> list[Row]:
        files = {"dc": call.cluster.firewall.cluster} | ({"guest": place.file(call)} if place.level == "vm" else {})
        found = []
        for scope, file in files.items():
            sets = {name: file.ipset_comments.get(name, "") for name in file.ipsets}
            aliases = {name: row.get("comment", "") for name, row in file.aliases.items()}
            for kind, named, sign in (("ipset", sets, "+"), ("alias", aliases, "")):
                rows = [
                    {"type": kind, "name": n, "ref": sign + n, "scope": scope} | ({"comment": c} if c else {}) for n, c in named.items()
                ]
                found += rows if call.get("type") in (None, kind) else []
        return found

    return refs


def _log(call: Call) -> list[Row]:
    """Nothing is dropped here, so nothing is logged: as Proxmox tells an empty log."""
    return [{"n": 1, "t": "no content"}]


def _checked(read: Callable[[str], object]) -> Parameter:
    def parse(text: str) -> str:
        try:
            read(text)
        except ValueError as why:
            raise ValueError(f"invalid format - {why}\n") from None
        return text

    return Parameter(parse)


def _ip_or_cidr(text: str) -> None:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError("value does not look like a valid IP address or CIDR network") from None


def _ip_or_alias(text: str) -> None:
    if not re.fullmatch(rf"(dc/|guest/)?{NAME}", text):
        _ip_or_cidr(text)


def _icmp_type(text: str) -> None:
    if text and text not in ICMP | ICMPV6:
        raise ValueError(f"invalid icmp-type value '{text}'")


def _limited(pattern: str, least: int, most: int) -> Parameter:
    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"value does not match the regex pattern '{pattern}'")
        if not least <= len(text) <= most:
            raise ValueError(
                f"value may only be {most} characters long" if len(text) > most else f"value must be at least {least} characters long"
            )
        return text

    return Parameter(parse)


_LEVELS = choice("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", "nolog")
_POLICY = choice("ACCEPT", "REJECT", "DROP")
_PLACE, _DIGEST = integer(0), _limited(r"[^\0]*", 0, 64)
_RULE: dict[str, Parameter] = {
    "action": _limited(NAME, 2, 20),
    "comment": TEXT,
    "dest": _checked(addresses),
    "digest": _DIGEST,
    "dport": _checked(lambda text: ports(text, icmp=True)),
    "enable": integer(0),
    "icmp-type": _checked(_icmp_type),
    "iface": _limited(r"[a-zA-Z][a-zA-Z0-9_]{1,20}([:.]\d+)?", 2, 20),
    "log": _LEVELS,
    "macro": _limited(r"[^\0]*", 0, 128),
    "pos": _PLACE,
    "proto": _checked(protocol),
    "source": _checked(addresses),
    "sport": _checked(ports),
    "type": choice("in", "out", "forward", "group"),
}
_OF_GUEST: dict[str, Parameter] = {
    **dict.fromkeys(("dhcp", "enable", "ipfilter", "macfilter", "ndp", "radv"), BOOLEAN),
    **dict.fromkeys(("log_level_in", "log_level_out"), _LEVELS),
    **dict.fromkeys(("policy_in", "policy_out"), _POLICY),
}
_OF_CLUSTER: dict[str, Parameter] = {
    "ebtables": BOOLEAN,
    "enable": integer(0),
    "log_ratelimit": matching(r"(enable=)?[01](,(burst=\d+|rate=[1-9]\d*/(second|minute|hour|day)))*", "invalid format"),
    "policy_forward": choice("ACCEPT", "DROP"),
    "policy_in": _POLICY,
    "policy_out": _POLICY,
}
_CHANGES = {"delete": TEXT, "digest": _DIGEST}
_ALIAS_NAME, _SET_NAME, _GROUP_NAME = _limited(NAME, 2, 64), _limited(NAME, 2, 64), _limited(NAME, 2, 18)


def _rules_of(place: _Place, path: str) -> tuple[Address, ...]:
    new = _RULE | {name: _RULE[name].must for name in ("action", "type")}
    at = f"{path}/{{pos}}"
    return (
        Address("GET", path, _list(place), place.reads),
        Address("POST", path, _create(place), place.writes, new),
        Address("GET", at, _one(place), place.reads, {"pos": _PLACE}),
        Address("PUT", at, _update(place), place.writes, _RULE | {"delete": TEXT, "moveto": _PLACE}),
        Address("DELETE", at, _delete(place), place.writes, {"pos": _PLACE, "digest": _DIGEST}),
    )


def _addresses_of(place: _Place, options: Takes) -> tuple[Address, ...]:
    path, reads, writes = place.path, place.reads, place.writes
    one, address = f"{path}/ipset/{{name}}", f"{path}/ipset/{{name}}/{{cidr}}"
    told = {"cidr": _checked(_ip_or_alias), "comment": TEXT, "nomatch": BOOLEAN}
    alias = {"name": _ALIAS_NAME, "cidr": _checked(_ip_or_cidr).must, "comment": TEXT}
    return (
        *_rules_of(place, f"{path}/rules"),
        Address("GET", f"{path}/options", _options(place), reads),
        Address("PUT", f"{path}/options", _set_options(place, options), writes, {**options, **_CHANGES}),
        Address("GET", f"{path}/refs", _refs(place), reads, {"type": choice("alias", "ipset")}),
        Address("GET", f"{path}/aliases", _aliases(place), reads),
        Address("POST", f"{path}/aliases", _put_alias(place, new=True), writes, {**alias, "name": _ALIAS_NAME.must}),
        Address("GET", f"{path}/aliases/{{name}}", lambda call: _alias(place, call)[1], reads),
        Address(
            "PUT", f"{path}/aliases/{{name}}", _put_alias(place, new=False), writes, {**alias, "rename": _ALIAS_NAME, "digest": _DIGEST}
        ),
        Address("DELETE", f"{path}/aliases/{{name}}", _remove_alias(place), writes, {"digest": _DIGEST}),
        Address("GET", f"{path}/ipset", _ipsets(place), reads),
        Address(
            "POST",
            f"{path}/ipset",
            _make_ipset(place),
            writes,
            {"name": _SET_NAME.must, "comment": TEXT, "digest": _DIGEST, "rename": _SET_NAME},
        ),
        Address("GET", one, lambda call: _with_digest(_ipset(place, call)), reads),
        Address("POST", one, _add_address(place), writes, {**told, "cidr": told["cidr"].must}),
        Address("DELETE", one, _remove_ipset(place), writes, {"force": BOOLEAN}),
        Address("GET", address, lambda call: {**_address(place, call), "digest": digest(_ipset(place, call))}, reads),
        Address("PUT", address, _change_address(place), writes, {**told, "digest": _DIGEST}),
        Address("DELETE", address, _remove_address(place), writes, {"digest": _DIGEST}),
    )


FIREWALL: tuple[Address, ...] = (
    *_addresses_of(_CLUSTER, _OF_CLUSTER),
    *_addresses_of(_VM, _OF_GUEST),
    Address(
        "GET",
        f"{_GUEST}/firewall/log",
        _log,
        needs("/vms/{vmid}", "VM.Console"),
        dict.fromkeys(("start", "limit", "since", "until"), _PLACE),
    ),
    Address("GET", "/cluster/firewall/macros", _macros),
    Address("GET", "/cluster/firewall/groups", _groups),
    Address(
        "POST",
        "/cluster/firewall/groups",
        _make_group,
        _MODIFY,
        {"group": _GROUP_NAME.must, "comment": TEXT, "digest": _DIGEST, "rename": _GROUP_NAME},
    ),
    Address("DELETE", _GROUP.path, _remove_group, _MODIFY),
    *_rules_of(_GROUP, _GROUP.path),
)
