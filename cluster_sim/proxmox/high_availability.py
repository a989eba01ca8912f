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
    return row


def _require_known(call: Call, row: dict[str, str], doing: str) -> None:
    unmanaged = sorted(one for one in split_list(row.get("resources", "")) if one not in call.cluster.ha.resources)
    if unmanaged:
        raise failed(f"{doing}: cannot use unmanaged resource(s) {', '.join(unmanaged)}.")
    absent = sorted(name for one in split_list(row.get("nodes", "")) if (name := one.partition(":")[0]) not in call.cluster.nodes)
    if absent:
        raise failed(f"{doing}: cannot use non-existant node(s) {', '.join(absent)}.")


def _require_feasible(call: Call, name: str, row: dict[str, str]) -> None:
    """A rule of resources that nothing could follow (PVE::HA::Rules::ResourceAffinity, read in pve-ha-manager 0f6309d, 2026-12-01)."""
    if row["type"] != "resource-affinity" or row.get("disable") == "1":
        return
    mine, affinity = set(split_list(row["resources"])), row["affinity"]
    others = (one for other, one in call.cluster.ha.rules.items() if other != name and one["type"] == row["type"])
    against = [one for one in others if one["affinity"] != affinity and one.get("disable") != "1"]
    if len(mine) < 2:
        raise bad_parameters({"resources": "rule is ineffective as there are less than two resources"})
    if affinity == "negative" and len(mine) > len(call.cluster.nodes):
        raise bad_parameters({"resources": "rule defines more resources than available nodes"})
    if any(len(mine & set(split_list(one["resources"]))) > 1 for one in against):
        opposite = "positive" if affinity == "negative" else "negative"
        raise bad_parameters({"resources": f"rule shares two or more resources with a {opposite} resource affinity rule"})


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


def groups(call: Call) -> list[dict[str, Any]]:
    if call.cluster.major >= 9:
        raise failed(f"cannot index groups: {_MIGRATED}")
    rows = call.cluster.ha.groups
    return [{"group": name, "type": "group", **_typed(row), "digest": _digest(rows)} for name, row in sorted(rows.items())]


def add_group(call: Call) -> None:
    if call.cluster.major >= 9:
        raise failed(f"cannot create group: {_MIGRATED}")
    name = call.values["group"]
    if name in call.cluster.ha.groups:
        raise failed(f"ha group ID '{name}' already defined")
    for node in (n.partition(":")[0] for n in split_list(call.values["nodes"])):
        if node not in call.cluster.nodes:
            raise bad_parameters({"nodes": f"no such cluster node '{node}'"})
    keys = ("nodes", "restricted", "nofailback", "comment")
    call.cluster.ha.groups[name] = {k: str(int(v) if isinstance(v, bool) else v) for k, v in call.values.items() if k in keys}


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
