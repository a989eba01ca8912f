"""Microsoft.CognitiveServices: Azure OpenAI accounts and deployments, held to model quotas; deleted accounts keep their names.

No model answers here.
"""

from __future__ import annotations

from typing import Any

from cluster_sim.azure.cloud import Cloud, stamp
from cluster_sim.azure.data import table
from cluster_sim.azure.errors import ArmError, nested_first
from cluster_sim.azure.families.private_link import list_private_connections, private_connections
from cluster_sim.azure.families.storage import check_network_rules, secret
from cluster_sim.azure.kinds import Change, Kind, NameRule
from cluster_sim.azure.store import Resource
from cluster_sim.azure.world import Subscription
from cluster_sim.http import Answer, Request

_A = "Microsoft.CognitiveServices/accounts"
RETENTION_DAYS = 2
_NAME = NameRule(
    r"[A-Za-z0-9][A-Za-z0-9-]{0,62}[A-Za-z0-9]",
    "AccountNameInvalid",
    "The account name '{name}' is invalid. It has 2 to 64 letters, digits and '-', and begins and ends with a letter or digit.",
)
_DEPLOYMENT_NAME = NameRule(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}[A-Za-z0-9]",
    "InvalidResourceName",
    "The deployment name '{name}' is invalid. It has 2 to 64 letters, digits, '-', '.' and '_'.",
)


def _check_account(change: Change) -> None:
    body, properties, cloud = change.body, change.properties, change.cloud
    if not body.get("kind"):
        raise ArmError(400, "InvalidResourceProperties", "The account has no 'kind'.")
    if str((body.get("sku") or {}).get("name", "")) not in ("S0", "F0"):
        raise ArmError(
            400,
            "InvalidResourceProperties",
            f"The specified SKU '{(body.get('sku') or {}).get('name')}' for kind '{body['kind']}' is not supported. Allowed: S0.",
        )
    if str(body["kind"]).lower() == "openai" and change.location not in {
        r for m in table("models")["models"] for rs in m["skus"].values() for r in rs
    }:
        raise ArmError(400, "InvalidApiSetId", f"The account type '{body['kind']}' is either invalid or unavailable in given region.")
    check_network_rules(change, "Microsoft.CognitiveServices")
    gone = cloud.store.deleted.get(change.address.key)
    restore = bool(properties.pop("restore", False))
    if change.creating and gone is not None and not restore:
        raise ArmError(
            409,
            "FlagMustBeSetForRestore",
            f"An existing resource with ID '{change.address.id}' has been soft-deleted. To restore the resource, you must "
            "specify 'restore' to be 'true' in the property. "
            "If you don't want to restore existing resource, please purge it first.",
        )
    if gone is not None and restore:
        cloud.store.deleted.pop(gone.key)
    domain = properties.get("customSubDomainName")
    old = change.before.properties.get("customSubDomainName") if change.before else None
    if old and domain and domain != old:
        raise ArmError(400, "CustomDomainCannotBeChanged", "The custom subdomain name of an account cannot be changed once it is set.")
    if domain and domain != old and _domain_taken(cloud, str(domain), change.address.key):
        raise ArmError(
            409,
            "CustomDomainInUse",
            f"Please pick a different name. The subdomain name '{domain}' is not available as it's already used by a resource.",
        )
    if properties.get("disableLocalAuth") and not domain and not old:
        raise ArmError(
            400,
            "InvalidResourceProperties",
            "Local authentication can be disabled only for an account with a custom subdomain name.",
        )


def _domain_taken(cloud: Cloud, domain: str, but: str = "") -> bool:
    held = (r for r in (*cloud.store.of_type(_A), *cloud.store.deleted.values()) if r.type == _A and r.key != but)
    return domain.lower() in cloud.world.taken_names["domains"] or any(
        str(r.properties.get("customSubDomainName", "")).lower() == domain.lower() for r in held
    )


def _fill_account(change: Change) -> None:
    properties = change.properties
    domain = properties.get("customSubDomainName") or (change.before.properties.get("customSubDomainName") if change.before else None)
    openai = str(change.body["kind"]).lower() == "openai"
    suffix = "openai.azure.com" if openai else "cognitiveservices.azure.com"
    properties["endpoint"] = f"https://{domain.lower()}.{suffix}/" if domain else f"https://{change.location}.api.cognitive.microsoft.com/"
    if domain:
        properties["customSubDomainName"] = domain
        properties["endpoints"] = {"OpenAI Language Model Instance API": f"https://{domain.lower()}.openai.azure.com/"}
    properties["dateCreated"] = stamp(change.before.created_at_s if change.before else change.cloud.now)
    properties["internalId"] = change.guid("internal").replace("-", "")
    properties["capabilities"] = [{"name": "VirtualNetworks"}, {"name": "CustomerManagedKey"}]
    properties.setdefault("publicNetworkAccess", "Enabled")


def _view_account(cloud: Cloud, resource: Resource, shown: dict[str, Any]) -> None:
    shown["properties"]["privateEndpointConnections"] = private_connections(cloud, resource)


def _removing_account(cloud: Cloud, resource: Resource) -> None:
    for deployment in cloud.store.of_type(f"{_A}/deployments", resource.id):
        raise nested_first(deployment.id)


def _removed_account(cloud: Cloud, resource: Resource) -> None:
    cloud.keep_deleted(resource)


def _keys(cloud: Cloud, resource: Resource, body: Any) -> dict[str, Any]:
    if resource.properties.get("disableLocalAuth"):
        raise ArmError(400, "BadRequest", "Failed to list key. disableLocalAuth is set to be true.")
    return {f"key{n}": secret(resource, f"key{n}", 24) for n in (1, 2)}


# Deployments and their quota.


def _model(name: str, version: str) -> dict[str, Any] | None:
    return next((m for m in table("models")["models"] if m["name"].lower() == name.lower() and version in ("", m["version"])), None)


def quota_name(sku: str, model: str) -> str:
    return f"OpenAI.{sku}.{model}"


def _limit(subscription: Subscription, region: str, model: dict[str, Any], sku: str) -> int:
    granted = subscription.model_quotas.get(region, {}).get(quota_name(sku, model["name"]))
    return granted.limit if granted else int(model["quota"].get(sku, 0))


def _used(cloud: Cloud, subscription: Subscription, region: str, model: dict[str, Any], sku: str, leaving_out: str = "") -> int:
    granted = subscription.model_quotas.get(region, {}).get(quota_name(sku, model["name"]))
    used = granted.used if granted else 0
    for deployment in cloud.store.of_type(f"{_A}/deployments", f"/subscriptions/{subscription.id}"):
        account = cloud.find(deployment.id.rsplit("/deployments/", 1)[0])
        mine = account is not None and account.location == region and deployment.key != leaving_out
        if (
            mine
            and str((deployment.properties.get("model") or {}).get("name", "")).lower() == model["name"]
            and deployment.body.get("sku", {}).get("name") == sku
        ):
            used += int(deployment.body["sku"].get("capacity", 0))
    return used


def _check_deployment(change: Change) -> None:
    cloud = change.cloud
    account = cloud.find(change.address.parent.id) if change.address.parent else None
    wanted = change.properties.get("model") or {}
    name, version = str(wanted.get("name", "")), str(wanted.get("version", "") or "")
    model = _model(name, version)
    if account is None:
        return
    if model is None:
        raise ArmError(
            400,
            "DeploymentModelNotSupported",
            f"The model 'Format: {wanted.get('format')}, Name: {name}, Version: {version}' of account deployment is not supported.",
        )
    sku = change.body.get("sku")
    if not isinstance(sku, dict) or not sku.get("name"):
        raise ArmError(
            400,
            "InvalidResourceProperties",
            "The deployment has no sku.name: GlobalStandard, DataZoneStandard, Standard or a provisioned one.",
        )
    if account.location not in model["skus"].get(sku["name"], []):
        raise ArmError(
            400,
            "InvalidResourceProperties",
            f"The specified SKU '{sku['name']}' of account deployment is not supported by the model '{name}' in this region "
            f"'{account.location}'.",
        )
    _check_lifecycle(change, model)
    capacity = sku.get("capacity", 1)
    if isinstance(capacity, str) and capacity.isdigit():  # as azure-cli sends it: Azure/azure-cli, cognitiveservices, 2026-11-29
        capacity = int(capacity)
    if isinstance(capacity, bool) or not isinstance(capacity, int) or capacity < 1:
        raise ArmError(400, "InvalidCapacity", f"The capacity of deployment '{change.name}' should be at least 1, not {capacity}.")
    sku["capacity"] = capacity
    subscription = cloud.subscription(change.address.subscription)
    most = _limit(subscription, account.location, model, sku["name"])
    used = _used(cloud, subscription, account.location, model, sku["name"], change.address.key)
    if capacity > most - used:
        what = f"Tokens Per Minute (thousands) - {name} - {sku['name']}"
        raise ArmError(
            400,
            "InsufficientQuota",
            f"This operation require {capacity} new capacity in quota {what}, which is bigger than the current available "
            f"capacity {most - used}. "
            f"The current quota usage is {used} and the quota limit is {most} for quota {what}.",
        )
    wanted["version"] = version if version else model["version"]


def _check_lifecycle(change: Change, model: dict[str, Any]) -> None:
    """A deployment that exists may change while its model is about to end; a new one is refused. The words are those that Azure answered
    with: microsoft/iq-series#84 and Azure-Samples/aks-store-demo#203, read 2026-11-29."""
    named = f"'Format:OpenAI,Name:{model['name']},Version:{model['version']}'"
    if model["lifecycle"] == "Deprecating" and change.creating:
        raise ArmError(400, "ServiceModelDeprecating", f"The model {named} is in deprecating state and cannot be used for new deployments.")
    if model["lifecycle"] == "Deprecated":
        year, month, day = model["ends"].split("-")
        raise ArmError(400, "ServiceModelDeprecated", f"The model {named} has been deprecated since {month}/{day}/{year} 00:00:00.")


def _fill_deployment(change: Change) -> None:
    properties = change.properties
    model = _model(str(properties["model"]["name"]), "") or {}
    properties.setdefault("versionUpgradeOption", "OnceNewDefaultVersionAvailable")
    properties.setdefault("raiPolicyName", "Microsoft.DefaultV2")
    properties["capabilities"] = {"chatCompletion": "true"} if model.get("kind") == "chat" else {"embeddings": "true"}
    capacity = change.body["sku"]["capacity"]
    properties["rateLimits"] = [
        {"key": "request", "renewalPeriod": 10, "count": capacity},
        {"key": "token", "renewalPeriod": 60, "count": capacity * 1000},
    ]


def _usages(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    subscription, region = cloud.subscription(words["subscription"]), words["location"].lower()
    return {
        "value": [
            {
                "name": {
                    "value": quota_name(sku, model["name"]),
                    "localizedValue": f"Tokens Per Minute (thousands) - {model['name']} - {sku}",
                },
                "unit": "Count",
                "currentValue": float(_used(cloud, subscription, region, model, sku)),
                "limit": float(_limit(subscription, region, model, sku)),
            }
            for model in table("models")["models"]
            for sku, regions in model["skus"].items()
            if region in regions
        ]
    }


def _models(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    region = words["location"].lower()
    return {"value": [{"kind": "OpenAI", "skuName": "S0", "model": row} for row in _model_rows(region)]}


def _model_rows(region: str) -> list[dict[str, Any]]:
    rows = []
    for model in table("models")["models"]:
        skus = [
            {
                "name": sku,
                "usageName": quota_name(sku, model["name"]),
                "deprecationDate": f"{model['ends']}T00:00:00Z",
                "capacity": {"minimum": 1, "maximum": 1_000_000, "step": 1, "default": 10},
                "rateLimits": [{"key": "token", "renewalPeriod": 60, "count": 1000}],
            }
            for sku, regions in model["skus"].items()
            if region in regions
        ]
        if skus:
            rows.append(
                {
                    "format": "OpenAI",
                    "name": model["name"],
                    "version": model["version"],
                    "isDefaultVersion": True,
                    "lifecycleStatus": model["lifecycle"],
                    "deprecation": {"inference": f"{model['ends']}T00:00:00Z"},
                    "capabilities": {"chatCompletion": "true"} if model["kind"] == "chat" else {"embeddings": "true"},
                    "maxCapacity": 1_000_000,
                    "skus": skus,
                }
            )
    return rows


def _account_models(cloud: Cloud, resource: Resource, body: Any) -> dict[str, Any]:
    return {"value": _model_rows(resource.location)}


def _domain_available(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    body = request.json or {}
    domain = str(body.get("subdomainName", ""))
    taken = _domain_taken(cloud, domain)
    found = {"isSubdomainAvailable": not taken, "subdomainName": domain, "type": body.get("type"), "kind": body.get("kind")}
    return found | ({"reason": f"The subdomain name '{domain}' is already used by a resource."} if taken else {})


def _show_deleted(resource: Resource) -> dict[str, Any]:
    subscription, group = resource.id.split("/")[2], resource.group
    purge = resource.changed_at_s + RETENTION_DAYS * 86400
    return {
        "id": f"/subscriptions/{subscription}/providers/Microsoft.CognitiveServices"
        f"/locations/{resource.location}/resourceGroups/{group}/deletedAccounts/{resource.name}",
        "name": resource.name,
        "type": "Microsoft.CognitiveServices/deletedAccounts",
        "location": resource.location,
        "kind": resource.body.get("kind"),
        "sku": resource.body.get("sku"),
        "properties": {**resource.properties, "deletionDate": stamp(resource.changed_at_s), "scheduledPurgeDate": stamp(purge)},
    }


def _list_deleted(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    prefix = f"/subscriptions/{words['subscription']}/".lower()
    return {"value": [_show_deleted(r) for r in cloud.store.deleted.values() if r.type == _A and r.key.startswith(prefix)]}


def _find_deleted(cloud: Cloud, words: dict[str, str]) -> Resource:
    key = f"/subscriptions/{words['subscription']}/resourceGroups/{words['group']}/providers/{_A}/{words['name']}".lower()
    resource = cloud.store.deleted.get(key)
    if resource is None or resource.location != words["location"].lower():
        raise ArmError(404, "ResourceNotFound", f"The deleted account '{words['name']}' was not found.")
    return resource


def _get_deleted(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    return _show_deleted(_find_deleted(cloud, words))


def _purge(cloud: Cloud, words: dict[str, str], request: Request) -> Answer:
    """What is not there needs no purging: 204, as for any DELETE."""
    try:
        cloud.store.deleted.pop(_find_deleted(cloud, words).key)
    except ArmError:
        return Answer(204)
    return Answer(200)


KINDS = (
    Kind(
        _A,
        name=_NAME,
        stamped=True,
        check=_check_account,
        fill=_fill_account,
        view=_view_account,
        removing=_removing_account,
        removed=_removed_account,
        actions={"listKeys": _keys, "models": _account_models, "privateEndpointConnections": list_private_connections},
    ),
    Kind(f"{_A}/deployments", located=False, name=_DEPLOYMENT_NAME, stamped=True, check=_check_deployment, fill=_fill_deployment),
    Kind(f"{_A}/raiPolicies", located=False, slow=False, state=False, stamped=True),
    Kind(f"{_A}/projects", stamped=True),
)

_PLACE = r"{subscription}/providers/Microsoft\.CognitiveServices/"
_GONE = _PLACE + r"{location}/resourceGroups/(?P<group>[^/]+)/deletedAccounts/(?P<name>[^/]+)"
ROUTES = (
    ("GET", _PLACE + "{location}/usages", _usages),
    ("GET", _PLACE + "{location}/models", _models),
    ("POST", _PLACE + "checkDomainAvailability", _domain_available),
    ("GET", _PLACE + "deletedAccounts", _list_deleted),
    ("GET", _GONE, _get_deleted),
    ("DELETE", _GONE, _purge),
)
