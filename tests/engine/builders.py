"""Builds worlds, manifests and step tables for the engine's tests: real Terraform with its built-in provider, effects counted in a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tools.clients.settings import Settings
from tools.ledger.database import BUSY_SECONDS
from tools.ledger.ledger import Ledger
from tools.pipeline.prepare import prepare
from tools.pipeline.steps import Action, Step, Steps, Work, production
from tools.pipeline.world import World, new_run_id
from tools.rules.plans.changes import Allowed
from tools.values.machine import Machine
from tools.values.manifest import Configure, Manifest, Part, Resource, Secret
from tools.values.plan import Estimate, Plan
from tools.values.requirements import Needs
from tools.values.review import Review
from tools.values.site import Site

MODULES = Path(__file__).parent / "modules"
LEASE_SECONDS = 2.0


def utc_now() -> datetime:
    return datetime.now(UTC)


def world_at(
    home: Path, *, now: Callable[[], datetime] = utc_now, busy_seconds: float = BUSY_SECONDS, site: Site | None = None, **more: object
) -> World:
    settings = Settings.from_environment({"BERTH_HOME": str(home), "HOME": str(home), **_strings(more.pop("environment", {}))})
    return World(
        settings=settings,
        site=site or Site(),
        now=now,
        new_id=new_run_id,
        ledger=Ledger(settings.ledger_url, settings.home, now, LEASE_SECONDS, busy_seconds=busy_seconds),
        modules=MODULES,
        allowed=Allowed(provisioners=True),
        **more,  # type: ignore[arg-type]
    )


def _strings(given: object) -> dict[str, str]:
    assert isinstance(given, dict)
    return given


def part_named(
    label: str, effects: Path, *, machines: int = 1, seconds: float = 0, first_id: int = 20000, after: tuple[str, ...] = ()
) -> Part:
    made = tuple(
        Machine(
            name=f"{label}-{number:02d}",
            vm_id=first_id + number,
            node="pve1",
            template_vm_id=9000,
            template_node="pve1",
            storage="local",
            disk_interface="scsi0",
            disk_gib=8,
            memory_mib=2048,
            cpu_count=2,
            bridge="vmbr0",
            vlan_tag=None,
            user_name="ops",
            public_keys=(),
        )
        for number in range(machines)
    )
    return Part(
        label=label,
        capability="virtual_machine",
        platform="proxmox",
        needs=Needs(capability="virtual_machine", label=label, platform="proxmox"),
        candidate="pve1",
        because="It ranks first.",
        module="things",
        machines=made,
        variables={"effects": str(effects), "seconds": seconds},
        resources=tuple(Resource(name=one.name, kind="thing", where="here", size="small", because="test") for one in made),
        secrets=(Secret(name="ssh_key", kind="ssh_key"), Secret(name="database_password", kind="password")),
        configure=Configure(kind="ansible", playbook="virtual_machine.yml", variables={}),
        after=after,
    )


def manifest_of(*parts: Part, requester: str = "ops") -> Manifest:
    return Manifest(requester=requester, made_by="rule", parts=parts, snapshot_digests=("0" * 64,))


def review_of(manifest: Manifest, approvals: tuple[tuple[str, str], ...] = ()) -> Review:
    return Review(manifest_digest=manifest.digest, passed=("all:all:all",), approvals=approvals)


def planned(world: World, manifest: Manifest, conversation: str = "talk", approvals: tuple[tuple[str, str], ...] = ()) -> Plan:
    return prepare(world, conversation, manifest, review_of(manifest, approvals), Estimate())


def counting(effects: Path, **instead: Action) -> Steps:
    """Every step but `apply` writes one line and hands something on; `apply` is the product's own, with real Terraform."""

    def writes(name: str) -> Action:
        def action(work: Work) -> dict[str, object]:
            with effects.open("a") as file:
                file.write(f"{name} {work.part.label}\n")
            work.say(f"{name} of {work.part.label} was done")
            if name == "wait":
                return {"machines": [{"name": f"{work.part.label}-00", "address": "127.0.0.1"}]}
            return {"verified": ["It answers."]} if name == "verify" else {}

        return action

    return tuple(
        step if step.name == "apply" and "apply" not in instead else replaced(step, instead.get(step.name, writes(step.name)))
        for step in production()
    )


def replaced(step: Step, action: Action) -> Step:
    """The same step, carried out by another function."""
    return replace(step, do=action, undo=action if step.undo else None)


def lines(effects: Path) -> list[str]:
    return effects.read_text().splitlines() if effects.exists() else []
