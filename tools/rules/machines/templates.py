"""Which template a machine is cloned from, and which nodes and storages a clone of it can reach by Proxmox VE's own rules."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tools.values.snapshot import ClusterSnapshot, Node, Storage, Template


def offered(snapshot: ClusterSnapshot, os: str) -> tuple[tuple[Template, ...], ...]:
    """Templates of that system in generations, the newest first; alike ones on several nodes are one generation."""
    word = os.strip().lower()
    # Whoever says a template's own name or number means just that one, whatever else is of the same system.
    own = [t for t in snapshot.templates if word in (t.name.lower(), str(t.vm_id))]
    fitting = own or [t for t in snapshot.templates if matches(t, os)]
    generations = sorted({_version(t) for t in fitting}, reverse=True)
    return tuple(tuple(sorted((t for t in fitting if _version(t) == v), key=lambda t: t.vm_id)) for v in generations)


def matches(template: Template, os: str) -> bool:
    """`debian` means any of that system, `debian-12` one of that version, and a template's own name or number itself."""
    word = os.strip().lower()
    if word in (template.name.lower(), str(template.vm_id)):
        return True
    system, _, version = word.replace("-", " ").partition(" ")
    if template.os.lower() != system and system not in re.split(r"[^a-z]+", template.name.lower()):
        return False
    return not version or version in {*re.findall(r"[\d.]+", template.name), *re.findall(r"[\d.]+", _dotted(template.name))}


SET_UP = ("debian", "ubuntu")
"""Systems that the roles under ansible/ know."""


def is_set_up(os: str) -> bool:
    """Whether roles can set up a machine of it. A template that tells nothing of its system may be one of these."""
    return os in ("", *SET_UP)


def known(snapshot: ClusterSnapshot) -> list[str]:
    """What may be asked for: systems and names."""
    return sorted({t.os for t in snapshot.templates if t.os} | {t.name for t in snapshot.templates})


@dataclass(frozen=True)
class Reach:
    """What of a cluster a clone goes through."""

    online: frozenset[str]
    takes_disks: frozenset[tuple[str, str]]
    """(node, storage)."""

    @classmethod
    def of(cls, snapshot: ClusterSnapshot) -> Reach:
        return cls(
            frozenset(n.name for n in snapshot.nodes if n.online),
            frozenset((s.node, s.name) for s in snapshot.storages if s.active and "images" in s.content),
        )


def out_of_reach(template: Template, node: Node, storage: Storage, reach: Reach) -> str:
    """Why a full clone cannot get there; empty when it can.

    On its own node a template is cloned to any storage. To another node a clone goes straight when every volume of the template
    is shared, the cloud-init drive and a CD included, and then only to shared storage. Otherwise it is cloned beside the template
    and migrated, so the storage of that name has to exist on both nodes.
    """
    if not template.cloud_init:
        return f"template {template.name} has no cloud-init drive, so nothing would set its address and keys"
    if template.node not in reach.online:
        return f"template {template.name} lies on {template.node}, which is not online"
    if template.node == node.name:
        return ""
    if template.shared:
        return "" if storage.shared else f"{storage.name} is local, and a clone from {template.node} goes straight only to shared storage"
    if (template.node, storage.name) in reach.takes_disks:
        return ""
    return f"template {template.name} lies on local storage of {template.node}, which has no storage {storage.name} to clone through"


def _dotted(name: str) -> str:
    """The name of a machine has no dots: ubuntu-24-04, or Ubuntu's ubuntu-2404."""
    short = re.sub(r"(?<=ubuntu)(-?)([12]\d)(04|10)(?!\d)", r"\g<1>\2.\3", name.lower())
    return re.sub(r"(?<=\d)-(?=\d)", ".", short)


def _version(template: Template) -> tuple[int, ...]:
    """The number in its name: debian-13 is (13,), ubuntu-24.04 is (24, 4). One without a number is the oldest."""
    found = re.search(r"\d+(?:\.\d+)*", _dotted(template.name))
    return tuple(int(part) for part in found[0].split(".")[:3]) if found and len(found[0]) < 20 else ()
