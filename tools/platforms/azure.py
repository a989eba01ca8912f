"""An Azure subscription as a platform. What is offered and checked there is in tools.rules.azure and in the capabilities."""

from __future__ import annotations

from collections.abc import Sequence

from tools.rules.azure.names import RULES, kind_of
from tools.rules.plans.changes import Provider
from tools.rules.plans.pricing import price_parts
from tools.values.manifest import Cloud, Manifest, Part
from tools.values.plan import Estimate
from tools.values.site import Reserved
from tools.values.situation import Situation
from tools.values.value import Json

MACHINE = "Microsoft.Compute/virtualMachines@"


def restarts(kind: str, before: Json, after: Json) -> bool:
    """Azure restarts a machine to give it another size: learn.microsoft.com, "Resize a virtual machine", read 2026-11-30."""
    if kind != "azapi_resource" or not str(after.get("type", "")).startswith(MACHINE):
        return False
    return _size(before) != _size(after)


def _size(values: Json) -> str:
    properties = (values.get("body") or {}).get("properties") or {}
    return str((properties.get("hardwareProfile") or {}).get("vmSize", ""))


TITLE = "Azure"

PROVIDER = Provider(source="azure/azapi", kinds="azapi_", versions=("2.12.0", "2.13.0"), restarts=restarts)

RECORD_IN = ("azurerm",)


UNREACHED = (
    "Look whether both sides of the peering with the hub are connected (`az network vnet peering list`), whether Berth is on that hub or "
    "BERTH_GUEST_PROXY_COMMAND leads there, and how the machine started (`az vm boot-diagnostics get-boot-log`)."
)


def reserves(part: Part) -> Reserved:
    """The names that it will take, of those that no other part may have: what lies in a group or an account is called within it alone.
    A range of addresses is one of them."""
    names = part.cloud.names if part.cloud else ()
    ranges = (part.variables["address_space"],) if "address_space" in part.variables else ()
    return Reserved(names=frozenset((*(name for key, name in names if RULES[kind_of(key)].scope in ("global", "subscription")), *ranges)))


def joined(part: Part, used: Sequence[Part]) -> Part:
    """Two networks that are peered with one hub do not reach each other by it, so these are peered too: learn.microsoft.com, "Virtual
    network peering" (not transitive), from memory."""
    there = [one for cloud in (one.cloud for one in used) if cloud and (one := network_id(cloud))]
    if not there or part.cloud is None or not network_id(part.cloud):
        return part
    return part.model_copy(update={"variables": {**part.variables, "neighbour_ids": there}})


def network_id(cloud: Cloud) -> str:
    """Of the network that it makes; empty for none."""
    names = dict(cloud.names)
    group = f"/subscriptions/{cloud.subscription_id}/resourceGroups/{names['resource_group']}"
    return f"{group}/providers/{RULES['network'].type}/{names['network']}" if "network" in names else ""


def ids_in(state: Json) -> tuple[str, ...]:
    managed = (one for one in state.get("resources", ()) if one.get("mode") == "managed")
    ids = (str(instance.get("attributes", {}).get("id", "")) for one in managed for instance in one.get("instances", ()))
    return tuple(sorted(one for one in ids if one.startswith("/subscriptions/")))


def variables(part: Part) -> dict[str, Json]:
    if part.cloud is None:
        return part.variables
    where = {"subscription_id": part.cloud.subscription_id, "location": part.cloud.region}
    keys = {"public_keys": list(part.cloud.machines[0].public_keys)} if part.cloud.machines else {}
    return {**where, "names": dict(part.cloud.names), "tags": dict(part.cloud.tags), **part.variables, **keys}


def estimate(parts: Sequence[Part], situation: Situation) -> Estimate:
    """Every meter by the rows of its region; what has no row says "unpriced", never 0."""
    return price_parts(parts, [part.cloud.region for part in parts if part.cloud], situation.prices)


def certify(parts: Sequence[Part], situation: Situation) -> None:
    return None


def pictures(manifest: Manifest, situation: Situation) -> dict[str, str]:
    return {}
