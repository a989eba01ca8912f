"""Microsoft.ContainerRegistry: registries, by their names. No image is kept here."""

from __future__ import annotations

from typing import Any

from cluster_sim.azure.cloud import Cloud
from cluster_sim.azure.errors import ArmError, invalid_parameter
from cluster_sim.azure.kinds import Change, Kind, NameRule
from cluster_sim.http import Request

_R = "Microsoft.ContainerRegistry/registries"
_NAME = NameRule(
    r"[A-Za-z0-9]{5,50}",
    "InvalidParameter",
    "The registry name '{name}' is invalid. A registry name may contain 5 to 50 alphanumeric characters only.",
)


def _check(change: Change) -> None:
    if not (change.body.get("sku") or {}).get("name"):
        raise invalid_parameter("The registry has no sku.name.", "sku")
    if change.creating and _taken(change.cloud, change.name):
        raise ArmError(
            409,
            "AlreadyInUse",
            f"The registry DNS name {change.name.lower()}.azurecr.io is already in use. You can check if the name is "
            "already claimed using following API: https://learn.microsoft.com/rest/api/containerregistry/registries/checknameavailability",
        )


def _taken(cloud: Cloud, name: str) -> bool:
    return name.lower() in cloud.world.taken_names["registries"] or any(r.name.lower() == name.lower() for r in cloud.store.of_type(_R))


def _fill(change: Change) -> None:
    change.properties["loginServer"] = f"{change.name.lower()}.azurecr.io"
    change.properties.setdefault("adminUserEnabled", False)


def _available(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    name = str((request.json or {}).get("name", ""))
    return _NAME.available(name, _taken(cloud, name), f"The registry {name} is already in use.")


KINDS = (Kind(_R, name=_NAME, stamped=True, check=_check, fill=_fill),)
ROUTES = (("POST", r"{subscription}/providers/Microsoft\.ContainerRegistry/checkNameAvailability", _available),)
