"""What the run of a conversation has made, and how large what it speaks of is: as it is planned, else as it was made."""

from __future__ import annotations

from dataclasses import replace

from tools.pipeline.world import World
from tools.rules.hearing.known import Built, Known, Sizes
from tools.rules.request.running import sizes_made, sizes_needed
from tools.values.conversation import Conversation
from tools.values.manifest import Manifest
from tools.values.snapshot import ClusterSnapshot


def made_here(world: World, now: Conversation) -> Manifest | None:
    """What this conversation's run has made."""
    if now.run_id is None or now.request_built is None:
        return None
    return world.ledger.plans.kept(world.ledger.runs.row(now.run_id).plan_digest).manifest


def machines_built(world: World, now: Conversation) -> Built:
    """Of what the conversation's run has made and this message may change."""
    made = made_here(world, now)
    parts = made.parts if made else ()
    return {part.label: {group: tuple(m.name for m in part.of_group(group)) for group in part.groups} for part in parts}


def is_of_this_run(world: World, now: Conversation, name: str) -> bool:
    """A machine of the run that this message may change."""
    return any(name in names for groups in machines_built(world, now).values() for names in groups.values())


def sizes_so_far(world: World, now: Conversation) -> Sizes:
    """Of what is planned, else of what the conversation's run has made."""
    needed = now.requirements.parts if now.requirements else ()
    planned = {part.label: sizes_needed(part) for part in needed}
    drafted = now.manifest if now.plan_kind != "remove" else None
    made = drafted or made_here(world, now)
    return planned | {part.label: sizes_made(part) for part in (made.parts if made else ()) if part.machines}


def known_here(world: World, now: Conversation) -> Known:
    """What a message may call by its name: what was seen of the cluster when it was last looked at, and what was made."""
    seen = (now.snapshots or {}).get("proxmox")
    known = Known(built=machines_built(world, now), sizes=sizes_so_far(world, now), earlier=now.history)
    if not isinstance(seen, ClusterSnapshot):
        return known
    nodes, storages = ({one.name.lower() for one in several} for several in (seen.nodes, seen.storages))
    return replace(known, nodes=frozenset(nodes), storages=frozenset(storages))


def guide_of(world: World, run_id: str) -> str:
    """Empty until a step has written it."""
    file = world.run_folder(run_id) / "guide.md"
    return file.read_text(encoding="utf-8") if file.exists() else ""
