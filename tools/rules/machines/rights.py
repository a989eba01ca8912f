"""What a token must be allowed so that machines can be made, changed and removed: privileges by path, from Proxmox VE's own checks
(qemu-server 9.2.6, pve-access-control 9.1.1, 2026-11-29). Whether it is allowed is looked up by tools.pipeline.platforms.proxmox.rights.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tools.rules.machines import networks
from tools.values.machine import Machine
from tools.values.snapshot import ClusterSnapshot, Template

LIFE = (
    "VM.Allocate",
    "VM.Audit",
    "VM.Config.CDROM",
    "VM.Config.CPU",
    "VM.Config.Cloudinit",
    "VM.Config.Disk",
    "VM.Config.HWType",
    "VM.Config.Memory",
    "VM.Config.Network",
    "VM.Config.Options",
    "VM.PowerMgmt",
)
"""On a machine from its making to its end."""
ANYWHERE = "/vms"
CLONE = ("VM.Audit", "VM.Clone")
AGENT, AGENT_OF_8 = "VM.GuestAgent.Audit", "VM.Monitor"
ROLES = {
    "/pool/": "BerthApply",
    "/vms/": "BerthClone",
    ANYWHERE: "BerthApply",
    "/storage/": "BerthStore",
    "/nodes/": "BerthDownload",
    "/sdn/": "BerthNet",
    "/": "BerthHigh",
}
"""As README calls them, by the beginning of a path: one role for one purpose, or a longer one would widen what another path grants."""
IMAGES = "BerthImages"
"""On a storage that images are downloaded to, in the place of BerthStore."""
NETWORKS, NETWORKS_ROLE = "SDN.Allocate", "BerthSdn"
"""Whoever makes networks, on whichever path of SDN."""

GOES_DOWN = "/"
"""Behind a privilege that is held on what is below a path, too."""

Rights = tuple[tuple[str, tuple[str, ...]], ...]
"""(path, privileges), sorted."""
Held = Rights
"""What the token that makes may do, as a snapshot has it."""
SDN = (NETWORKS, "SDN.Audit", "SDN.Use")
"""To make a network of SDN and apply it, from pve-network's own checks (API2/Network/SDN.pm and below it, 2026-11-30). The last, so that
machines can be put on it: a role that is granted on a path takes the place of what came from above it."""
NEW_NETWORKS: Rights = (("/sdn", SDN),)


def rights_of(machines: Iterable[Machine], snapshot: ClusterSnapshot) -> Rights:
    """For their whole life, removal included."""
    needed: dict[str, set[str]] = {}

    def need(path: str, *privileges: str) -> None:
        needed.setdefault(path, set()).update(privileges)

    templates = {t.vm_id: t for t in snapshot.templates}
    for m in machines:
        template = templates.get(m.template_vm_id)
        cards = {*((one.bridge, one.vlan_tag) for one in m.every_card), *(template.cards if template else ())}
        for path, privileges in (
            *life_rights(m.pool or "", snapshot.version),
            (f"/vms/{m.template_vm_id}", CLONE),
            *(one for name in sorted(m.storages) for one in storage_rights(name)),
            *(one for bridge, tag in cards for one in bridge_rights(snapshot, bridge, tag)),
        ):
            need(path, *privileges)
        if template and template.node != m.node and not template.shared:
            need(f"/pool/{m.pool}" if m.pool else ANYWHERE, "VM.Migrate")
        if m.high_availability:
            need("/", "Sys.Console", "Sys.Audit")
        if m.start_order is not None:  # qemu-server asks for it on `/`, since the order is the whole node's
            need("/", "Sys.Modify", "Sys.Audit")
    return tuple((path, tuple(sorted(privileges))) for path, privileges in sorted(needed.items()))


def life_rights(pool: str, version: str) -> Rights:
    """In that pool; without one, anywhere."""
    privileges = (*LIFE, AGENT_OF_8 if version.startswith("8.") else AGENT, *(("Pool.Audit",) if pool else ()))
    return ((f"/pool/{pool}" if pool else ANYWHERE, tuple(sorted(privileges))),)


def clone_rights(template: Template) -> Rights:
    return ((f"/vms/{template.vm_id}", CLONE),)


def storage_rights(storage: str) -> Rights:
    return ((f"/storage/{storage}", ("Datastore.AllocateSpace", "Datastore.Audit")),)


def bridge_rights(snapshot: ClusterSnapshot, bridge: str, tag: int | None = None) -> Rights:
    """A vnet is in its own zone, a bridge in `localnetwork`; a tag of a card lies below its bridge."""
    path = f"/sdn/zones/{networks.zone_of(snapshot, bridge)}/{bridge}"
    return ((f"{path}/{tag}" if tag else path, ("SDN.Use",)),)


def not_held(rules: Held, needed: Rights) -> Rights:
    """What of these the token that makes lacks, by the cluster's rules. A path that no rule is for has what goes down to it from the
    nearest one above. Where it could not be looked up nothing is lacking."""
    held = dict(rules)
    return lacking(needed, {path: _held_on(held, path) for path, _ in needed}) if held else ()


def _held_on(held: Mapping[str, tuple[str, ...]], path: str) -> frozenset[str]:
    if path in held:
        return frozenset(one.removesuffix(GOES_DOWN) for one in held[path])
    parts = path.split("/")
    above = ("/".join(parts[:n]) or "/" for n in range(len(parts) - 1, 0, -1))
    nearest = next((held[one] for one in above if one in held), ())
    return frozenset(one.removesuffix(GOES_DOWN) for one in nearest if one.endswith(GOES_DOWN))


def lacking(needed: Rights, held: Mapping[str, frozenset[str]]) -> Rights:
    """Those that are not there. A path that could not be asked about lacks all."""
    missing = ((path, tuple(one for one in wanted if one not in held.get(path, frozenset()))) for path, wanted in needed)
    return tuple((path, privileges) for path, privileges in missing if privileges)


def lines(token_id: str, missing: Rights, needed: Rights) -> str:
    """Commands that grant what is missing, indented. What is granted on a path replaces there what came from above it, so each role is
    whole; and a token of separate rights may do what both it and its user may."""
    user, whole = token_id.partition("!")[0], dict(needed)
    said = []
    for path, _ in missing:
        role = next(role for beginning, role in ROLES.items() if path.startswith(beginning))
        role = IMAGES if "Datastore.AllocateTemplate" in whole[path] else NETWORKS_ROLE if NETWORKS in whole[path] else role
        privileges = ",".join(whole[path])
        said.append(f'    pveum role add {role} --privs "{privileges}" || pveum role modify {role} --append --privs "{privileges}"')
        said.append(f"    pveum acl modify {path} --users {user} --tokens '{token_id}' --roles {role}")
    return "\n".join(dict.fromkeys(said))


def pool_that_would_do(missing: Rights, needed: Rights, held: Held) -> str:
    """What to write in the site file, where machines may be made in a pool and not anywhere; empty otherwise."""
    if ANYWHERE not in dict(missing):
        return ""
    life = (*dict(needed)[ANYWHERE], "Pool.Audit")
    able = [path.removeprefix("/pool/") for path, _ in held if path.startswith("/pool/") and not not_held(held, ((path, life),))]
    named = " or ".join(f"`pool: {pool}`" for pool in able)
    return f"It may make machines in a pool. Write {named} in the site file (BERTH_SITE_FILE); otherwise:\n" if able else ""


def spelled(missing: Rights) -> str:
    """`on /pool/agents Pool.Audit, on /vms/9000 VM.Clone`."""
    return "; ".join(f"on {path} {', '.join(privileges)}" for path, privileges in missing)
