"""Keeps what clients made of a cluster in a file, so that a world can be stopped and taken up again.

Only what changes is kept: nodes, storages, roles and bridges are always those of the world file.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import power
from .access import Grant, Token, User, Who
from .cluster import Cluster
from .rules import RuleFile
from .section import ProxmoxSection
from .state import Guest, Load, Pool, Volume
from .tasks import Task
from .vnets import Sdn

_BOOT_S_MAX = 60.0


def world_digest(world: ProxmoxSection) -> str:
    """What is saved belongs to one world; faults and timing may differ between two starts."""
    kept = world.model_dump(mode="json", exclude={"faults", "timing"})
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def save(cluster: Cluster, world: ProxmoxSection, file: Path) -> None:
    """Everything that is under way is first played to its end."""
    cluster.agenda.finish_all(wait_s_max=10.0)
    state: dict[str, Any] = {
        "world": world_digest(world),
        "volumes": [asdict(v) for v in cluster.volumes.values()],
        "guests": [asdict(g) for g in cluster.guests.values()],
        "pools": [{**asdict(p), "vmids": sorted(p.vmids), "storages": sorted(p.storages)} for p in cluster.pools.values()],
        "ha": asdict(cluster.ha),
        "leases": cluster.leases,
        "sdn": asdict(cluster.sdn),
        "firewall": asdict(cluster.firewall),
        "access": {
            "users": [asdict(user) for user in cluster.access.users.values()],
            "groups": cluster.access.groups,
            "grants": [asdict(grant) for grant in cluster.access.grants],
        },
        "tasks": [asdict(t) for t in cluster.agenda.tasks.values()],
        "fresh": cluster.fresh(),
    }
    partial = file.with_suffix(".partial")
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(state, indent=1), "utf-8")
    partial.replace(file)


def restore(cluster: Cluster, world: ProxmoxSection, file: Path) -> bool:
    """Takes up what was saved. False when there is nothing, or it is of another world."""
    try:
        state = json.loads(file.read_text("utf-8"))
        if state["world"] != world_digest(world):
            cluster.say(f"{file} was left by another world; it is not used.")
            return False
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError, TypeError) as why:
        cluster.say(f"{file} cannot be read ({why}); the world begins anew.")
        return False
    cluster.volumes = {(v["storage"], v["node"], v["name"]): Volume(**v) for v in state["volumes"]}
    cluster.guests = {g["vmid"]: Guest(**{**g, "load": Load(**g["load"])}) for g in state["guests"]}
    cluster.pools = {p["name"]: Pool(p["name"], p["comment"], set(p["vmids"]), set(p["storages"])) for p in state["pools"]}
    cluster.ha.resources, cluster.ha.rules = state["ha"]["resources"], state["ha"]["rules"]
    cluster.leases = state["leases"]
    if kept := state.get("sdn"):
        cluster.sdn = Sdn(**kept)
    if kept := state.get("firewall"):
        cluster.firewall.cluster = RuleFile(**kept["cluster"])
        cluster.firewall.guests = {int(vmid): RuleFile(**file) for vmid, file in kept["guests"].items()}
    if kept := state.get("access"):
        cluster.access.users = {u["name"]: _user(u) for u in kept["users"]}
        cluster.access.groups = kept["groups"]
        cluster.access.grants[:] = [Grant(**g) for g in kept["grants"]]
    cluster.agenda.tasks = {t["upid"]: Task(**t) for t in state["tasks"]}
    cluster.agenda.skip_pids(len(state["tasks"]))
    cluster._fresh = itertools.count(state["fresh"] + 1)
    return True


def _user(kept: dict[str, Any]) -> User:
    tokens = {name: Token(**token) for name, token in kept["tokens"].items()}
    return User(**{**kept, "groups": tuple(kept["groups"]), "tokens": tokens})


def wake(cluster: Cluster) -> None:
    """Boots the bodies of the guests that were running, and waits for them: a world is ready when it is as it was."""
    asleep = [g for g in cluster.guests.values() if g.has_body and g.running]
    if not asleep or cluster.bodies is None or cluster.bodies.kind == "none":
        return
    cluster.say(f"Booting {len(asleep)} guest{'s' if len(asleep) > 1 else ''} of the last time.")
    upids = []
    for guest in asleep:
        guest.running = False
        upids.append(cluster.start_task(guest.node, "qmstart", guest.vmid, Who("root@pam"), power.starting(cluster, guest)))
    cluster.agenda.finish_all(wait_s_max=_BOOT_S_MAX)
    for task in (cluster.agenda.tasks[u] for u in upids):
        if task.exitstatus != "OK":
            cluster.say(f"Guest {task.id} did not come up again: {task.exitstatus}")
