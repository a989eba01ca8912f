"""Where Terraform's record of a part is kept: in the part's folder, or in a blob of the site's own. Decided once, before the first plan of
the part: a run stays where its record is, whatever the site file says later."""

from __future__ import annotations

import json

from tools.clients.terraform import BACKEND
from tools.pipeline.world import World
from tools.platforms import PLATFORMS
from tools.values.manifest import Part
from tools.values.value import Json

HANDOVER = "backend.azurerm.json.example"
"""Terraform reads no file of that name: it is for a team that takes over a run whose record is in its folder."""


def is_elsewhere(world: World, part: Part) -> bool:
    """What the site file wants of a new part, where its platform allows it."""
    environment = world.environment(part.needs.field("environment"))
    return environment.state_backend in PLATFORMS[part.platform].RECORD_IN and environment.state_storage is not None


def backend(world: World, run_id: str, part: Part) -> Json:
    """Terraform's configuration of a backend in the part's environment; None where the site file names no storage. Data of that file
    alone."""
    storage = world.environment(part.needs.field("environment")).state_storage
    if storage is None:
        return None
    settings = {
        "storage_account_name": storage.storage_account,
        "container_name": storage.container,
        "key": "/".join(filter(None, (storage.key_prefix, run_id, f"{part.label}.tfstate"))),
        "use_azuread_auth": True,
        "resource_group_name": storage.resource_group,
        "subscription_id": storage.subscription_id,
        "tenant_id": world.settings.arm_tenant_id,
    }
    return {"terraform": {"backend": {"azurerm": {name: value for name, value in settings.items() if value}}}}


def spelled(content: Json) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def approved(world: World, run_id: str, part: Part) -> str | None:
    """The SHA-256 of the backend that the part was carried out with; empty: in its folder; None: it never was."""
    used = [one for plan in world.ledger.plans.used(run_id) for one in plan.parts if one.label == part.label]
    return dict(used[-1].inputs).get(BACKEND, "") if used else None


def is_chosen(chosen: bytes, configured: bytes) -> bool:
    """What `terraform init` wrote down of a backend is just what is configured. Terraform goes by what is written down."""
    try:
        written, wanted = json.loads(chosen)["backend"], json.loads(configured)["terraform"]["backend"]
        given = {name: value for name, value in written["config"].items() if value is not None}
        return bool({written["type"]: given} == wanted)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
