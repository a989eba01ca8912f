"""Builds what exists when a world begins, by the rules that hold for anything made later: a world that breaks them is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cluster_sim.azure import changes
from cluster_sim.azure.addresses import GROUP_TYPE, Address
from cluster_sim.azure.cloud import Cloud
from cluster_sim.azure.errors import ArmError
from cluster_sim.azure.families import authorization
from cluster_sim.azure.login import Caller
from cluster_sim.azure.store import Resource
from cluster_sim.azure.world import ImpossibleWorld, Subscription

_DELETED = {"deleted_vaults": "Microsoft.KeyVault/vaults", "deleted_accounts": "Microsoft.CognitiveServices/accounts"}


def seed(cloud: Cloud) -> None:
    """Raises ImpossibleWorld with one sentence for each thing that could not be."""
    problems: list[str] = []
    authorization.seed(cloud)
    caller = Caller(cloud.world.tenant.client_id, cloud.world.tenant.object_id)
    for subscription in cloud.world.subscriptions:
        for address, body in _wanted(cloud, subscription, problems):
            kind = cloud.kind(address.type)
            if kind is None:
                problems.append(f"{address.id}: the type {address.type} is not simulated.")
                continue
            if cloud.find(address.id) is not None:
                problems.append(f"{address.id} is there twice.")
                continue
            try:
                changes.put(cloud, address, kind, body, caller, seeding=True)
            except ArmError as refusal:
                problems.append(f"{address.id} cannot be: {refusal.message}")
        _deleted(cloud, subscription, problems)
    cloud.settle()
    if (network := cloud.world.operator_network) and cloud.find(network) is None:
        problems.append(f"The operator's network {network} is not there.")
    if problems:
        raise ImpossibleWorld(problems)


def _wanted(cloud: Cloud, subscription: Subscription, problems: list[str]) -> Iterator[tuple[Address, Mapping[str, Any]]]:
    at = f"/subscriptions/{subscription.id}"
    for name, group in subscription.groups.items():
        group = group or {}
        yield Address(at, GROUP_TYPE, (str(name),)), {k: v for k, v in group.items() if k != "resources"}
        for row in group.get("resources") or ():
            type_, names = str(row.get("type", "")), str(row.get("name", ""))
            scope = f"{at}/resourceGroups/{name}"
            address = cloud.address(f"{scope}/{row['under']}/providers/{type_}/{names}" if row.get("under") else _path(scope, type_, names))
            if not type_ or not names or address is None or address.collection:
                problems.append(f"A resource of group {name} has no fitting type and name: '{type_}' '{names}'.")
                continue
            body = {k: v for k, v in row.items() if k not in ("type", "name", "under")}
            kind = cloud.kind(type_)
            if kind and kind.located:
                body.setdefault("location", "global" if kind.everywhere else group.get("location"))
            yield address, body


def _path(scope: str, type_: str, names: str) -> str:
    namespace, *segments = type_.split("/")
    return f"{scope}/providers/{namespace}" + "".join(f"/{s}/{n}" for s, n in zip(segments, names.split("/"), strict=False))


def _deleted(cloud: Cloud, subscription: Subscription, problems: list[str]) -> None:
    """Soft-deleted things: gone, but their names are not free."""
    for key, type_ in _DELETED.items():
        for row in getattr(subscription, key):
            if not row.get("name") or not row.get("group") or row.get("location") not in cloud.world.regions:
                problems.append(f"Each of {key} needs a name, a group and a location that is one of the world's regions: {dict(row)}.")
                continue
            id_ = f"/subscriptions/{subscription.id}/resourceGroups/{row['group']}/providers/{type_}/{row['name']}"
            if cloud.find(id_) is not None:
                problems.append(f"{id_} is both there and deleted.")
                continue
            body = {k: v for k, v in row.items() if k not in ("name", "group")}
            body.setdefault("properties", {})
            resource = Resource(id_, type_, body, cloud.store.next_generation(), cloud.now, cloud.now, cloud.world.tenant.client_id)
            cloud.store.deleted[resource.key] = resource
