"""Microsoft.DataFactory: factories and what is defined in them. No pipeline runs."""

from __future__ import annotations

from cluster_sim.azure.cloud import Cloud, stamp
from cluster_sim.azure.errors import ArmError
from cluster_sim.azure.kinds import Change, Kind, NameRule

_F = "Microsoft.DataFactory/factories"
_NAME = NameRule(
    r"(?=.{3,63}$)[A-Za-z0-9](-?[A-Za-z0-9])*",
    "InvalidResourceName",
    "The factory name '{name}' is invalid. It has 3 to 63 letters, digits and single '-', and begins and ends with a letter or digit.",
)


def _taken(cloud: Cloud, name: str) -> bool:
    return name.lower() in cloud.world.taken_names["factories"] or any(r.name.lower() == name.lower() for r in cloud.store.of_type(_F))


def _check(change: Change) -> None:
    if change.creating and _taken(change.cloud, change.name):
        raise ArmError(
            409,
            "DataFactoryNameInUse",
            f"The specified resource name '{change.name}' is already in use. Resource names must be globally unique.",
        )


def _fill(change: Change) -> None:
    properties = change.properties
    properties |= {
        "createTime": stamp(change.before.created_at_s if change.before else change.cloud.now),
        "version": "2018-06-01",
    }
    change.properties.setdefault("publicNetworkAccess", "Enabled")


_PARTS = (
    "managedVirtualNetworks",
    "integrationRuntimes",
    "linkedServices",
    "datasets",
    "pipelines",
    "triggers",
    "dataflows",
    "credentials",
)

KINDS = (
    Kind(_F, slow=False, created=200, name=_NAME, check=_check, fill=_fill),
    *(Kind(f"{_F}/{part}", located=False, slow=False, state=False, created=200) for part in _PARTS),
    Kind(f"{_F}/managedVirtualNetworks/managedPrivateEndpoints", located=False, slow=False, created=200),
)
