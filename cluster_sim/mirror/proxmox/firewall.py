"""The firewall of a VM, or the rules of the cluster: options, and a list of rules in their order. The calls are those of bpg/proxmox's
sources (commit d6bd1ffe: proxmoxtf/resource/firewall, proxmox/firewall), read 2026-12-01.
"""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from typing import Any

from cluster_sim.mirror.planning import Path
from cluster_sim.mirror.provider import Problem
from cluster_sim.mirror.proxmox import devices, schema
from cluster_sim.mirror.proxmox.api import ApiProblem
from cluster_sim.mirror.proxmox.around import ClusterResource
from cluster_sim.mirror.schema import Block, Values

POLICIES = ("ACCEPT", "REJECT", "DROP")
LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", "nolog")
VM_ID_MIN, VM_ID_MAX = 100, 999_999_999
_FLAGS = {"dhcp": "dhcp", "enabled": "enable", "ipfilter": "ipfilter", "macfilter": "macfilter", "ndp": "ndp", "radv": "radv"}
_WORDS = {"log_level_in": "log_level_in", "log_level_out": "log_level_out", "input_policy": "policy_in", "output_policy": "policy_out"}
"""An attribute → what the API calls it."""
_ALWAYS_SENT = ("comment", "dest", "dport", "macro", "proto", "source", "sport")
_SENT_WHERE_SET = ("iface", "log")
_OF_GROUP = ("comment",)
_IDENTITY = ("type", "action", "dest", "dport", "source", "sport", "proto", "macro", "iface")
"""By these a rule is known again; whoever changes one has a new rule made and the old one taken away."""


def _hash(path: str) -> int:
    return zlib.crc32(path.encode())


def _below(values: Values) -> str:
    """Whose firewall it is."""
    if not values["node_name"]:
        return "cluster/firewall"
    if values["container_id"] or not values["vm_id"]:
        raise Problem("The firewalls of nodes and containers are not stood in for.", "Set vm_id beside node_name, or neither.")
    return f"nodes/{values['node_name']}/qemu/{values['vm_id']}/firewall"


def _among(values: Values, path: Path, allowed: tuple[str, ...], *names: str) -> list[Problem]:
    return [
        Problem(f"expected {name} to be one of {list(allowed)}, got {values[name]}", path=(*path, name))
        for name in names
        if isinstance(values.get(name), str) and values[name] not in allowed
    ]


def _ids(config: Values) -> list[Problem]:
    found = config["vm_id"]
    fits = not isinstance(found, int) or VM_ID_MIN <= found <= VM_ID_MAX
    return [] if fits else [Problem(f"expected vm_id to be in the range ({VM_ID_MIN} - {VM_ID_MAX}), got {found}", path=("vm_id",))]


class Options(ClusterResource):
    """Those of a guest. What is taken away stays as it is: the released provider only forgets it."""

    schema: Block = schema.FIREWALL_OPTIONS
    legacy = True

    def validate(self, config: Values) -> list[Problem]:
        said = [name for name in ("vm_id", "container_id") if config[name] is not None]
        wrong = [] if len(said) == 1 else [Problem("one of `container_id,vm_id` must be specified, and only one")]
        policies = _among(config, (), POLICIES, "input_policy", "output_policy")
        return [*wrong, *_ids(config), *policies, *_among(config, (), LEVELS, "log_level_in", "log_level_out")]

    def create(self, planned: Values, config: Values) -> Values:
        path = f"{_below(planned)}/options"
        flags = {key: devices.flag(planned[name]) for name, key in _FLAGS.items()}
        words = {key: planned[name] for name, key in _WORDS.items()}
        self._api().put(f"/{path}", flags | words)
        return self.read(planned | {"id": f"options-{_hash(path)}"}) or planned

    def read(self, state: Values) -> Values | None:
        """What the cluster does not tell stays as it was said."""
        there = self._api().get(f"/{_below(state)}/options")
        flags: Values = {name: bool(there[key]) for name, key in _FLAGS.items() if key in there}
        if state["ipfilter"] is None and not flags.get("ipfilter"):
            flags["ipfilter"] = None  # as the older SDK keeps what was never said
        return state | flags | {name: there[key] for name, key in _WORDS.items() if key in there}

    def update(self, prior: Values, planned: Values, config: Values) -> Values:
        return self.create(planned, config)

    def delete(self, state: Values) -> None:
        pass

    def adopt(self, identifier: str) -> Values:
        return _adopted(self.schema, identifier)


class Rules(ClusterResource):
    """All of a guest's, or of the cluster's, in their order. Where there are some already, it makes none."""

    schema: Block = schema.FIREWALL_RULES
    legacy = True

    def validate(self, config: Values) -> list[Problem]:
        found = (
            []
            if config["node_name"] is not None or config["vm_id"] is None
            else [Problem('"vm_id": all of `node_name,vm_id` must be specified')]
        )
        for at, rule in enumerate(config["rule"] or ()):
            path: Path = ("rule", at)
            found += _among(rule, path, POLICIES, "action")
            if isinstance(rule["type"], str) and rule["type"].lower() not in ("in", "out", "forward"):
                found.append(Problem(f"expected type to be one of [in out forward], got {rule['type']}", path=(*path, "type")))
        return [*found, *_ids(config)]

    def create(self, planned: Values, config: Values) -> Values:
        path = f"{_below(planned)}/rules"
        if self._api().get(f"/{path}"):
            raise Problem("Existing rules detected. Aborting...")
        for rule in reversed(planned["rule"]):
            self._make(path, rule)
        return self.read(planned | {"id": f"rule-{_hash(path)}"}) or planned

    def read(self, state: Values) -> Values | None:
        path = f"{_below(state)}/rules"
        told = [self._told(path, int(row["pos"])) for row in self._api().get(f"/{path}")]
        return state | {"rule": [rule for rule in told if rule]}

    def update(self, prior: Values, planned: Values, config: Values) -> Values:
        path, wanted = f"{_below(planned)}/rules", planned["rule"]
        kept = self._matched(prior["rule"], wanted)
        for at, rule in enumerate(wanted):
            if at not in kept:
                self._make(path, rule)
        for at, rule in enumerate(wanted):
            self._move(path, rule, at)
        for at, rule in enumerate(wanted):
            if at in kept:
                gone = [name for name in (*_ALWAYS_SENT, *_SENT_WHERE_SET) if not rule[name] and kept[at][name]]
                told = {} if rule["security_group"] else {"action": rule["action"], "type": rule["type"]}
                self._api().put(f"/{path}/{at}", self._form(rule) | told | ({"delete": ",".join(gone)} if gone else {}))
        for row in reversed(self._api().get(f"/{path}")[len(wanted) :]):
            self._api().delete(f"/{path}/{row['pos']}")
        return self.read(planned) or planned

    def delete(self, state: Values) -> None:
        path = f"{_below(state)}/rules"
        for rule in sorted(state["rule"] or (), key=lambda one: -int(one["pos"])):
            if self._told(path, int(rule["pos"])) is not None:
                self._api().delete(f"/{path}/{rule['pos']}")

    def adopt(self, identifier: str) -> Values:
        return _adopted(self.schema, identifier) | {"rule": []}

    def _matched(self, before: list[Values], wanted: list[Values]) -> dict[int, Values]:
        """Place → the rule that there was, of those that are the same one."""
        known: dict[tuple[Any, ...], list[Values]] = defaultdict(list)
        for rule in before:
            known[_identity(rule)].append(rule)
        return {at: known[_identity(rule)].pop(0) for at, rule in enumerate(wanted) if known[_identity(rule)]}

    def _make(self, path: str, rule: Values) -> None:
        if rule["security_group"]:
            form = {"action": rule["security_group"], "type": "group"}
        elif rule["action"] and rule["type"]:
            form = {"action": rule["action"], "type": rule["type"]}
        else:
            raise Problem("either 'security_group' OR both 'action' and 'type' must be defined")
        self._api().post(f"/{path}", **form, **self._form(rule))

    def _form(self, rule: Values) -> Values:
        always = _OF_GROUP if rule["security_group"] else _ALWAYS_SENT
        where_set = ("iface",) if rule["security_group"] else _SENT_WHERE_SET
        form = {name: rule[name] or "" for name in always} | {name: rule[name] for name in where_set if rule[name]}
        return form | {"enable": devices.flag(rule["enabled"])}

    def _move(self, path: str, rule: Values, to: int) -> None:
        for row in self._api().get(f"/{path}"):
            at = int(row["pos"])
            told = self._told(path, at) if at >= to else None
            if told is not None and _identity(told) == _identity(rule):
                if at != to:
                    self._api().put(f"/{path}/{at}", {"moveto": to})
                return
        raise Problem(f"could not find rule at or after position {to} during repositioning")

    def _told(self, path: str, at: int) -> Values | None:
        try:
            row = self._api().get(f"/{path}/{at}")
        except ApiProblem as problem:
            if "no rule at position" in problem.reason:
                return None
            raise
        is_group = row["type"] == "group"
        told = {name: row.get(name) or None for name in (*_ALWAYS_SENT, *_SENT_WHERE_SET)}
        named = {"security_group": row["action"] if is_group else None, "action": None if is_group else row["action"]}
        return {"pos": at, "enabled": bool(row.get("enable")), "type": None if is_group else row["type"], **named, **told}


def _identity(rule: Values) -> tuple[Any, ...]:
    if rule["security_group"]:
        return "group", rule["security_group"], rule["iface"] or ""
    return tuple(rule[name] or "" for name in _IDENTITY)


def _adopted(block: Block, identifier: str) -> Values:
    nothing: Values = dict.fromkeys(block.members) | {"id": identifier}
    if identifier == "cluster":
        return nothing
    named = re.fullmatch(r"vm/([^/]+)/(\d+)", identifier)
    if named is None:
        raise Problem(f"invalid import ID: {identifier} (expected: 'cluster' or 'vm/<node_name>/<vm_id>')")
    return nothing | {"node_name": named[1], "vm_id": int(named[2])}
