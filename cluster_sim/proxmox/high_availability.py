"""HA resources and rules as a client keeps them. The manager starts and stops guests as their resources ask (power.py).

What happens when a node dies is in recovery.py. Not yet: moving guests by rules that change while they run.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from .call import Call
from .cluster import Cluster
from .errors import bad_parameters, failed
from .parameters import split_list
from .power import MANAGER_S, follow
from .recovery import state_of

_INTEGERS = ("max_restart", "max_relocate", "failback", "disable", "strict", "order", "restricted", "nofailback")
_MIGRATED = "ha groups have been migrated to rules"


def _sid(text: str) -> str:
    """A bare number is a VM."""
    return f"vm:{text}" if text.isdigit() else text


def _typed(row: dict[str, str]) -> dict[str, Any]:
    return {k: int(v) if k in _INTEGERS else v for k, v in row.items()}


def _digest(rows: dict[str, dict[str, str]]) -> str:
    return hashlib.sha1(repr(sorted(rows.items())).encode(), usedforsecurity=False).hexdigest()


def resources(call: Call) -> list[dict[str, Any]]:
    rows = call.cluster.ha.resources
    return [{"sid": sid, "type": sid.partition(":")[0], **_typed(row), "digest": _digest(rows)} for sid, row in sorted(rows.items())]


def resource(call: Call) -> dict[str, Any]:
    sid = _sid(call.values["sid"])
    rows = call.cluster.ha.resources
    if sid not in rows:
        raise failed(f"no such resource '{sid}'")
    return {"sid": sid, "type": sid.partition(":")[0], **_typed(rows[sid]), "digest": _digest(rows)}


def _settings(call: Call) -> dict[str, str]:
    group = call.get("group")
    if group is not None and call.cluster.major >= 9:
        raise failed(f"invalid parameter 'group': {_MIGRATED}")
    if group is not None and group not in call.cluster.ha.groups:
        raise failed(f"unknown ha group '{group}'")
    keys = ("state", "max_restart", "max_relocate", "failback", "comment", "group")
    return {k: str(int(v) if isinstance(v, bool) else v) for k, v in call.values.items() if k in keys}


def add_resource(call: Call) -> None:
    sid = _sid(call.values["sid"])
    vmid = sid.partition(":")[2]
    if not vmid.isdigit() or int(vmid) not in call.cluster.guests:
        raise failed(f"unable to find VM '{vmid}'" if vmid.isdigit() else f"unable to parse HA resource ID '{sid}'")
    if sid in call.cluster.ha.resources:
        raise failed(f"resource ID '{sid}' already defined")
    call.cluster.ha.resources[sid] = {"state": "started", **_settings(call)}
    _manage(call, int(vmid))


def _manage(call: Call, vmid: int) -> None:
    cluster, guest = call.cluster, call.cluster.guests[vmid]
    cluster.agenda.after(MANAGER_S, lambda: follow(cluster, guest))


def change_resource(call: Call) -> None:
    sid = _sid(call.values["sid"])
    if sid not in call.cluster.ha.resources:
        raise failed(f"no such resource '{sid}'")
    row = call.cluster.ha.resources[sid]
    for key in split_list(call.get("delete", "")):
        row.pop(key, None)
    row |= _settings(call)
    _manage(call, int(sid.partition(":")[2]))


def remove_resource(call: Call) -> None:
    sid = _sid(call.values["sid"])
    if call.cluster.ha.resources.pop(sid, None) is None:
        raise failed(f"cannot delete service '{sid}', no such service")


def rules(call: Call) -> list[dict[str, Any]]:
    rows = call.cluster.ha.rules
    wanted, resource_id = call.get("type"), call.get("resource")
    found = []
    for name, row in rows.items():
        if wanted in (None, row["type"]) and (not resource_id or _sid(resource_id) in split_list(row["resources"])):
            found.append({"rule": name, **_typed(row), "digest": _digest(rows)})
    return found


def rule(call: Call) -> dict[str, Any]:
    name = call.values["rule"]
    rows = call.cluster.ha.rules
    if name not in rows:
        raise failed(f"no such ha rule '{name}'")
    return {"rule": name, **_typed(rows[name]), "digest": _digest(rows)}


def _rule_settings(call: Call) -> dict[str, str]:
    keys = ("type", "resources", "nodes", "strict", "affinity", "disable", "comment")
    row = {k: str(int(v) if isinstance(v, bool) else v) for k, v in call.values.items() if k in keys}
    if "resources" in row:
        row["resources"] = ",".join(_sid(r) for r in split_list(row["resources"]))
    if "nodes" in row:  # A priority of 0 is none, and is not written down.
        row["nodes"] = ",".join(sorted(one.removesuffix(":0") for one in split_list(row["nodes"])))
    return row


def _require_known(call: Call, row: dict[str, str], doing: str) -> None:
    unmanaged = sorted(one for one in split_list(row.get("resources", "")) if one not in call.cluster.ha.resources)
    if unmanaged:
        raise failed(f"{doing}: cannot use unmanaged resource(s) {', '.join(unmanaged)}.")
    absent = sorted(name for one in split_list(row.get("nodes", "")) if (name := one.partition(":")[0]) not in call.cluster.nodes)
    if absent:
        raise failed(f"{doing}: cannot use non-existant node(s) {', '.join(absent)}.")


def _require_feasible(call: Call, name: str, row: dict[str, str]) -> None:
    """A rule that nothing could follow (PVE::HA::Rules and its two kinds, read in pve-ha-manager 0f6309d and 00a71f1, 2026-12-01)."""
    if row.get("disable") == "1":
        return
    others = [one for other, one in call.cluster.ha.rules.items() if other != name and one.get("disable") != "1"]
    mine, of = set(split_list(row["resources"])), row["type"]
    fault = _ineffective(call, mine, row, others) if of == "resource-affinity" else _placed_twice(mine, others)
    of_nodes = [one for one in [row, *others] if one["type"] == "node-affinity"]
    for one in (one for one in [row, *others] if one["type"] == "resource-affinity"):
        fault = fault or _contradicted(one, [rule for rule in of_nodes if _share(one, rule)], of)
    if fault:
        raise bad_parameters({"resources": fault})


def _share(one: dict[str, str], other: dict[str, str]) -> set[str]:
    return set(split_list(one["resources"])) & set(split_list(other["resources"]))


def _ineffective(call: Call, mine: set[str], row: dict[str, str], others: list[dict[str, str]]) -> str:
    affinity = row["affinity"]
    against = [one for one in others if one["type"] == "resource-affinity" and one["affinity"] != affinity]
    if len(mine) < 2:
        return "rule is ineffective as there are less than two resources"
    if affinity == "negative" and len(mine) > len(call.cluster.nodes):
        return "rule defines more resources than available nodes"
    if any(len(_share(row, one)) > 1 for one in against):
        opposite = "positive" if affinity == "negative" else "negative"
        return f"rule shares two or more resources with a {opposite} resource affinity rule"
    return ""


def _placed_twice(mine: set[str], others: list[dict[str, str]]) -> str:
    there = {sid for one in others if one["type"] == "node-affinity" for sid in split_list(one["resources"])}
    return f"resource '{min(mine & there)}' is already used in another node affinity rule" if mine & there else ""


def _contradicted(affinity: dict[str, str], of_nodes: list[dict[str, str]], asked: str) -> str:
    """By the rules of nodes that its resources have, in the words for whichever of both is asked for."""
    of_nodes_asked = asked == "node-affinity"
    nodes = [dict(one.partition(":")[::2] for one in split_list(rule["nodes"])) for rule in of_nodes]
    if any(len({int(priority or 0) for priority in one.values()}) > 1 for one in nodes):
        mine = "resources are in a resource affinity rule and cannot be in a node affinity rule with multiple priorities"
        return mine if of_nodes_asked else "resources are in node affinity rules with multiple priorities"
    if affinity["affinity"] == "positive" and len(of_nodes) > 1:
        rest = "rule and there are other resources in at least one other node affinity rule already"
        return (
            f"at least one resource is in a positive resource affinity {rest}"
            if of_nodes_asked
            else "resources are in multiple node affinity rules"
        )
    located = {sid for rule in of_nodes for sid in _share(affinity, rule)}
    if affinity["affinity"] == "negative" and len({name for one in nodes for name in one}) < len(located):
        rest = "rule and this rule would restrict these to less nodes than available to the resources"
        fewer = "two or more resources are restricted to less nodes than available to the resources"
        return f"at least one resource is in a negative resource affinity {rest}" if of_nodes_asked else fewer
    return ""


def add_rule(call: Call) -> None:
    name = call.values["rule"]
    call.cluster.require_quorum()
    if name in call.cluster.ha.rules:
        raise failed(f"create ha rule failed: HA rule '{name}' already defined")
    row = _rule_settings(call)
    wanted = "nodes" if row["type"] == "node-affinity" else "affinity"
    missing = {key: "property is missing and it is not optional" for key in ("resources", wanted) if key not in row}
    if missing:
        raise bad_parameters(missing)
    _require_known(call, row, "create ha rule failed")
    _require_feasible(call, name, row)
    call.cluster.ha.rules[name] = row | {"order": str(len(call.cluster.ha.rules) + 1)}


def change_rule(call: Call) -> None:
    name = call.values["rule"]
    if name not in call.cluster.ha.rules:
        raise failed(f"update HA rules failed: HA rule '{name}' does not exist")
    settings = _rule_settings(call)
    _require_known(call, settings, "update HA rules failed")
    gone = split_list(call.get("delete", ""))
    row = {key: value for key, value in call.cluster.ha.rules[name].items() if key not in gone} | settings
    _require_feasible(call, name, row)
    call.cluster.ha.rules[name] = row


def remove_rule(call: Call) -> None:
    call.cluster.ha.rules.pop(call.values["rule"], None)


def _group(name: str, row: dict[str, str], digest: str) -> dict[str, Any]:
    return {"group": name, "type": "group", **_typed(row), "digest": digest}


def groups(call: Call) -> list[dict[str, Any]]:
    """Of version 8 (PVE::API2::HA::Groups, read in pve-ha-manager 289e478, 2026-12-01)."""
    if call.cluster.major >= 9:
        raise failed(f"cannot index groups: {_MIGRATED}")
    rows = call.cluster.ha.groups
    return [_group(name, row, _digest(rows)) for name, row in sorted(rows.items())]


def group(call: Call) -> dict[str, Any]:
    name, rows = call.values["group"], call.cluster.ha.groups
    if call.cluster.major >= 9:
        raise failed(f"cannot read group '{name}': {_MIGRATED}")
    if name not in rows:
        raise failed(f"no such ha group '{name}'")
    return _group(name, rows[name], _digest(rows))


def add_group(call: Call) -> None:
    if call.cluster.major >= 9:
        raise failed(f"cannot create group: {_MIGRATED}")
    call.cluster.require_quorum()
    name = call.values["group"]
    if name in call.cluster.ha.groups:
        raise failed(f"create ha group failed: ha group ID '{name}' already defined")
    call.cluster.ha.groups[name] = _group_settings(call)


def change_group(call: Call) -> None:
    name, rows = call.values["group"], call.cluster.ha.groups
    if call.cluster.major >= 9:
        raise failed(f"cannot update group: {_MIGRATED}")
    if name not in rows:
        raise failed(f"update ha group failed: no such ha group '{name}'")
    gone = split_list(call.get("delete", ""))
    if "nodes" in gone:
        raise failed("update ha group failed: unable to delete required option 'nodes'")
    rows[name] = {key: value for key, value in rows[name].items() if key not in gone} | _group_settings(call)


def remove_group(call: Call) -> None:
    name = call.values["group"]
    if call.cluster.major >= 9:
        raise failed(f"cannot delete group: {_MIGRATED}")
    used = next((sid for sid, row in sorted(call.cluster.ha.resources.items()) if row.get("group") == name), "")
    if used:
        raise failed(f"delete ha group failed: ha group is used by service '{used}'")
    call.cluster.ha.groups.pop(name, None)


def _group_settings(call: Call) -> dict[str, str]:
    for node in (n.partition(":")[0] for n in split_list(call.get("nodes", ""))):
        if node not in call.cluster.nodes:
            raise bad_parameters({"nodes": f"no such cluster node '{node}'"})
    keys = ("nodes", "restricted", "nofailback", "comment")
    return {k: str(int(v) if isinstance(v, bool) else v) for k, v in call.values.items() if k in keys}


def manager(call: Call) -> list[dict[str, Any]]:
    """As PVE::API2::HA::Status has it (pve-ha-manager 5.2, 2026-11-29); without resources nobody is the master yet."""
    cluster, now = call.cluster, int(call.cluster.now)
    online = [n for n in cluster.nodes if cluster.online(n)]
    quorum = {"id": "quorum", "type": "quorum", "node": online[0], "status": "OK" if cluster.quorate else "No quorum on node!"}
    rows: list[dict[str, Any]] = [quorum | {"quorate": int(cluster.quorate)}]
    if cluster.ha.resources:
        rows.append({"id": "master", "type": "master", "node": online[0], "status": f"{online[0]} (active, {_day(now)})", "timestamp": now})
    rows += [_local_manager(cluster, node, now) for node in sorted(cluster.nodes)]
    for sid, row in sorted(cluster.ha.resources.items()):
        node = cluster.guests[int(sid.partition(":")[2])].node
        state = state_of(cluster, sid, row)
        service = {"id": f"service:{sid}", "type": "service", "sid": sid, "node": node, "crm_state": state}
        rows.append(service | {"state": state, "request_state": row["state"], "status": f"{sid} ({node}, {state})"})
    return rows


def _local_manager(cluster: Cluster, node: str, now: int) -> dict[str, Any]:
    guests = [cluster.guests[int(sid.partition(":")[2])].node for sid in cluster.ha.resources]
    state = "active" if node in guests else "idle"
    if not cluster.online(node):
        state = "old timestamp - dead?"
    elif cluster.nodes[node].maintenance:
        state = "maintenance mode"
    return {"id": f"lrm:{node}", "type": "lrm", "node": node, "status": f"{node} ({state}, {_day(now)})", "timestamp": now}


def _day(now: int) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%a %b %e %H:%M:%S %Y")
