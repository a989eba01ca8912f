"""azapi's data sources: who we are, an identifier in parts, a resource, a list, and an action that only reads."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from cluster_sim.mirror.azapi import bodies, schema
from cluster_sim.mirror.azapi.arm import Arm, ArmProblem
from cluster_sim.mirror.azapi.resource import retry_of
from cluster_sim.mirror.provider import DataSource, Problem
from cluster_sim.mirror.schema import Values
from cluster_sim.mirror.values import dynamic

_PAGES_MAX = 1000


class AzureSource(DataSource):
    def __init__(self, arm: Callable[[], Arm]) -> None:
        self._arm = arm


class ClientConfig(AzureSource):
    """`azapi_client_config`: whose login this is."""

    schema = schema.CLIENT_CONFIG

    def look(self, config: Values) -> Values:
        arm = self._arm()
        account = arm.account
        return config | {
            "id": f"clientConfigs/subscriptionId={account.subscription_id};tenantId={account.tenant_id}",
            "tenant_id": account.tenant_id,
            "subscription_id": account.subscription_id,
            "subscription_resource_id": f"/subscriptions/{account.subscription_id}",
            "object_id": str(_claims(arm.token).get("oid", "")),
        }


class ResourceId(AzureSource):
    """`azapi_resource_id`: an identifier built or taken apart; asks nobody."""

    schema = schema.RESOURCE_ID_SOURCE

    def look(self, config: Values) -> Values:
        resource_id = identifier(config)
        parent, name = bodies.split_id(resource_id)
        steps = [step for step in resource_id.split("/") if step]
        parts = dict(zip(steps[::2], steps[1::2], strict=False))
        lowered = {key.lower(): value for key, value in parts.items()}
        return config | {
            "id": resource_id,
            "resource_id": resource_id,
            "name": name,
            "parent_id": parent,
            "parts": parts,
            "provider_namespace": bodies.type_of_id(resource_id).partition("/")[0],
            "resource_group_name": lowered.get("resourcegroups", ""),
            "subscription_id": lowered.get("subscriptions", ""),
        }


class ResourceSource(AzureSource):
    """`azapi_resource` as a data source: a resource that something else owns."""

    schema = schema.RESOURCE_SOURCE

    def look(self, config: Values) -> Values:
        resource_id = identifier(config)
        parent, name = bodies.split_id(resource_id)
        found = config | {"id": resource_id, "resource_id": resource_id, "name": name, "parent_id": parent, "exists": True}
        try:
            answer = self._arm().call(
                "GET",
                resource_id,
                bodies.split_type(config["type"])[1],
                query=config["query_parameters"],
                headers=config["headers"],
                retry=retry_of(config),
            )
        except ArmProblem as problem:
            if problem.status == 404 and config["ignore_not_found"]:
                return found | {"exists": False, "location": None, "tags": None, "identity": [], "output": None}
            raise Problem("Failed to retrieve resource", f'retrieving "{resource_id}": {problem.detail}') from problem
        return found | {
            "location": answer.get("location"),
            "tags": answer.get("tags"),
            "identity": _identity(answer.get("identity")),
            "output": dynamic(bodies.exported(answer, config["response_export_values"])),
        }


class ResourceList(AzureSource):
    """`azapi_resource_list`: all resources of a type below a parent, page by page."""

    schema = schema.RESOURCE_LIST_SOURCE

    def look(self, config: Values) -> Values:
        kind, version = bodies.split_type(config["type"])
        here = bodies.build_id(config["parent_id"], kind, "x").rpartition("/")[0]
        items: list[Any] = []
        path, query = here, config["query_parameters"]
        for _page in range(_PAGES_MAX):
            answer = self._arm().call("GET", path, version, query=query, headers=config["headers"], retry=retry_of(config)) or {}
            items += answer.get("value") or []
            if not answer.get("nextLink"):
                break
            split = urlsplit(answer["nextLink"])
            pairs = [pair.partition("=") for pair in split.query.split("&") if not pair.startswith("api-version=")]
            path, query = split.path, {name: [value] for name, _, value in pairs}
        exported = bodies.exported({"value": items}, config["response_export_values"])
        return config | {"id": here, "output": dynamic(exported)}


class ActionSource(AzureSource):
    """`azapi_resource_action` as a data source: a request that reads, such as listing keys."""

    schema = schema.RESOURCE_ACTION_SOURCE

    def look(self, config: Values) -> Values:
        resource_id = (config["resource_id"] or "") + (f"/{config['action']}" if config["action"] else "")
        method = config["method"] or "POST"
        try:
            answer = self._arm().call(
                method,
                resource_id,
                bodies.split_type(config["type"])[1],
                bodies.plain(config["body"]),
                query=config["query_parameters"],
                headers=config["headers"],
                retry=retry_of(config),
            )
        except ArmProblem as problem:
            raise Problem("Failed to perform action", f'performing action on "{config["resource_id"]}": {problem.detail}') from problem
        return config | {
            "id": resource_id,
            "method": method,
            "output": dynamic(bodies.exported(answer, config["response_export_values"])),
            "sensitive_output": dynamic(bodies.exported(answer, config["sensitive_response_export_values"])),
        }


def identifier(config: Values) -> str:
    if config["resource_id"]:
        return str(config["resource_id"])
    kind = bodies.split_type(config["type"])[0]
    if not config["parent_id"] or not config["name"]:
        raise Problem("Set resource_id, or both name and parent_id.")
    return bodies.build_id(config["parent_id"], kind, config["name"])


def _identity(identity: Any) -> list[Values]:
    if not isinstance(identity, dict):
        return []
    return [
        {
            "type": identity.get("type"),
            "principal_id": identity.get("principalId", ""),
            "tenant_id": identity.get("tenantId", ""),
            "identity_ids": list(identity.get("userAssignedIdentities") or {}),
        }
    ]


def _claims(token: str) -> Any:
    """What an access token says of its bearer; nothing when it is no JSON web token. Azure checks it, not we."""
    try:
        middle = token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError):
        return {}
