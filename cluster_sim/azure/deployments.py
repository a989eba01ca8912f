"""What ARM answers about changes nobody has made yet: what-if, preflight validation, policy restrictions.

It understands literal templates, not the template language.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from cluster_sim.azure import changes, errors, policy
from cluster_sim.azure.addresses import GROUP_TYPE, Address
from cluster_sim.azure.cloud import Cloud
from cluster_sim.azure.errors import ArmError
from cluster_sim.azure.login import Caller
from cluster_sim.azure.store import Operation
from cluster_sim.http import Answer, Request, json_answer

_WHAT_IF = re.compile(
    r"(?P<scope>/subscriptions/[^/]+(?:/resourceGroups/[^/]+)?)/providers/Microsoft\.Resources/deployments/(?P<name>[^/]+)/whatIf",
    re.IGNORECASE,
)
_LIST = re.compile(r"(?P<scope>/subscriptions/[^/]+(?:/resourceGroups/[^/]+)?)/providers/Microsoft\.Resources/deployments", re.IGNORECASE)
_RESULT = re.compile(r"(?P<scope>/subscriptions/[^/]+)/providers/Microsoft\.Resources/whatIfResults/(?P<id>[^/]+)", re.IGNORECASE)
_VALIDATE = re.compile(r"(?P<scope>.*)/providers/Microsoft\.Resources/validateResources", re.IGNORECASE)
_RESTRICTIONS = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)(/resourceGroups/[^/]+)?/providers/Microsoft\.PolicyInsights/checkPolicyRestrictions",
    re.IGNORECASE,
)
_EXPRESSION = re.compile(r"\[(?!\[).*\]", re.DOTALL)
_READ_BACK = ("provisioningState", "etag", "id", "systemData")


def answer(cloud: Cloud, request: Request, path: str, caller: Caller) -> Answer | None:
    if request.method == "GET" and (found := _RESULT.fullmatch(path)):
        operation = cloud.store.operations.get(found["id"])
        if operation is None or operation.error is None:
            raise ArmError(404, "DeploymentWhatIfResultNotFound", f"The what-if result '{found['id']}' could not be found.")
        return json_answer(operation.error)
    if request.method == "GET" and (found := _LIST.fullmatch(path)):
        under = cloud.address(found["scope"])
        cloud.subscription(found["scope"].split("/")[2])
        if under is not None:
            cloud.group(under.subscription, under.name)
        return json_answer({"value": []})  # No template is ever deployed here.
    if request.method != "POST":
        return None
    if found := _WHAT_IF.fullmatch(path):
        return _what_if(cloud, request, found["scope"])
    if found := _VALIDATE.fullmatch(path):
        return _validate(cloud, request, caller)
    if found := _RESTRICTIONS.fullmatch(path):
        return _restrictions(cloud, request, found["subscription"])
    return None


def _object(request: Request) -> Mapping[str, Any]:
    try:
        body = request.json
    except ValueError as problem:
        raise errors.invalid_content(f"The body is not JSON: {problem}") from None
    if not isinstance(body, Mapping):
        raise errors.invalid_content("The request body must be a JSON object.")
    return body


def _what_if(cloud: Cloud, request: Request, scope: str) -> Answer:
    under = cloud.address(scope)
    subscription = cloud.subscription(scope.split("/")[2])
    if under is not None:
        cloud.group(under.subscription, under.name)
    properties = _object(request).get("properties") or {}
    template = properties.get("template") or {}
    if not isinstance(template.get("resources"), list):
        raise ArmError(400, "InvalidTemplate", "Deployment template validation failed: the template has no list of resources.")
    values = {k: v.get("defaultValue") for k, v in (template.get("parameters") or {}).items()} | {
        k: v.get("value") for k, v in (properties.get("parameters") or {}).items()
    }
    group = cloud.find(scope) if under is not None else None
    location = (group.location if group is not None else "") or str(_object(request).get("location", ""))
    rows, seen = [], set()
    for raw in template["resources"]:
        item = _resolve(raw, values, location)
        address = _address(cloud, scope, item)
        seen.add(address.key)
        rows.append(_change(cloud, address, item))
        denied = policy.denials(subscription, address.type, bool(item.get("location")), item)
        if denied:
            raise errors.denied_by_policy(address.name, denied)
    if properties.get("mode") == "Complete" and under is not None:
        rows += [
            {"resourceId": r.id, "changeType": "Delete", "before": cloud.show(r)}
            for r in cloud.store.under(scope.lower())
            if r.key not in seen and (kind := cloud.kind(r.type)) and kind.located
        ]
    id_ = f"{cloud.store.next_generation():08d}-0000-4000-8000-000000000000"
    result = {"status": "Succeeded", "properties": {"changes": rows, "potentialChanges": [], "diagnostics": []}}
    cloud.store.operations[id_] = Operation(id_, "whatIf", "", "", cloud.now, cloud.now, result, done=True)
    at = f"https://{request.host}/subscriptions/{subscription.id}/providers/Microsoft.Resources/whatIfResults/{id_}"
    return Answer(
        202,
        b"",
        {
            "Location": f"{at}?api-version={dict(request.query).get('api-version', '')}",
            "Retry-After": str(cloud.world.retry_after_s),
        },
    )


def _address(cloud: Cloud, scope: str, item: Mapping[str, Any]) -> Address:
    type_, names = str(item.get("type", "")), tuple(str(item.get("name", "")).split("/"))
    kind = cloud.kind(type_)
    if kind is None:
        raise errors.not_simulated("POST whatIf of", type_)
    if kind.type == GROUP_TYPE:
        return Address(scope, GROUP_TYPE, names)
    if len(names) != len(kind.type.split("/")) - 1:
        raise ArmError(
            400,
            "InvalidTemplate",
            f"Deployment template validation failed: the resource '{item.get('name')}' of type '{type_}' has an incorrect segment length.",
        )
    return Address(str(item.get("scope") or scope), kind.type, names)


def _change(cloud: Cloud, address: Address, item: Mapping[str, Any]) -> dict[str, Any]:
    before = cloud.find(address.id)
    after = {"id": address.id, "name": address.name, "type": address.type} | {
        k: v for k, v in item.items() if k not in ("name", "type", "dependsOn", "scope", "comments")
    }
    if before is None:
        return {"resourceId": address.id, "changeType": "Create", "after": after}
    shown = cloud.show(before)
    delta = _delta({k: v for k, v in after.items() if k not in ("id", "name", "type", "apiVersion")}, shown)
    return {"resourceId": before.id, "changeType": "Modify" if delta else "NoChange", "before": shown, "after": after} | (
        {"delta": delta} if delta else {}
    )


def _delta(wanted: Mapping[str, Any], there: Any, path: str = "") -> list[dict[str, Any]]:
    """What the template says and the resource does not; what only the resource has is not a change."""
    rows: list[dict[str, Any]] = []
    for key, value in wanted.items():
        old = there.get(key) if isinstance(there, Mapping) else None
        at = f"{path}.{key}" if path else key
        if key in _READ_BACK:
            continue
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            rows += _delta(value, old, at)
        elif value != old:
            kind = "Create" if old is None else "Modify"
            rows.append({"path": at, "propertyChangeType": kind, "after": value} | ({} if old is None else {"before": old}))
    return rows


def _resolve(value: Any, parameters: Mapping[str, Any], location: str) -> Any:
    if isinstance(value, Mapping):
        return {k: _resolve(v, parameters, location) for k, v in value.items()}
    if isinstance(value, list):
        return [_resolve(v, parameters, location) for v in value]
    if not isinstance(value, str) or not _EXPRESSION.fullmatch(value):
        return value
    if value.replace(" ", "") == "[resourceGroup().location]":
        return location
    if found := re.fullmatch(r"\[parameters\('([^']+)'\)\]", value):
        if found[1] not in parameters:
            raise ArmError(400, "InvalidTemplate", f"Deployment template validation failed: the parameter '{found[1]}' has no value.")
        return parameters[found[1]]
    raise ArmError(501, "NotSimulated", f"cluster_sim does not simulate the template expression {value[:120]}.")


def _validate(cloud: Cloud, request: Request, caller: Caller) -> Answer:
    """Preflight: would these be accepted? Everything a write checks is checked, and nothing is kept."""
    body = _object(request)
    scope, type_ = str(body.get("scope", "")).rstrip("/"), f"{body.get('provider', '')}/{body.get('type', '')}"
    kind = cloud.kind(type_)
    if kind is None:
        raise errors.not_simulated("POST validateResources of", type_)
    kept = cloud.store
    cloud.store = copy.deepcopy(kept)
    problems = []
    try:
        for item in body.get("resources") or []:
            names = tuple(str(item.get("name", "")).split("/"))
            parent = cloud.address(scope)
            address = Address(scope, kind.type, names)
            if parent is not None and parent.type != GROUP_TYPE and kind.type.lower().startswith(parent.type.lower() + "/"):
                address = parent.child(kind.type.rsplit("/", 1)[1], names[-1])
            if kind.type == GROUP_TYPE:
                address = Address(scope, GROUP_TYPE, names)
            try:
                changes.put(
                    cloud,
                    address,
                    kind,
                    {
                        "location": body.get("location"),
                        **{k: v for k, v in item.items() if k not in ("name", "type", "apiVersion", "dependsOn")},
                    },
                    caller,
                )
            except ArmError as refusal:
                # What a sibling of the same plan will bring is not there yet: that is no reason to refuse a plan.
                if refusal.status != 404 and refusal.code not in (
                    "InvalidResourceReference",
                    "FailedIdentityOperation",
                    "VnetSubnetIDNotFound",
                    "PrincipalNotFound",
                ):
                    problems.append(refusal)
    finally:
        cloud.store = kept
    if problems:
        details = [p.error for p in problems]
        raise ArmError(
            problems[0].status,
            problems[0].code,
            problems[0].message,
            target=problems[0].target,
            extra={"details": details} | problems[0].extra,
        )
    return json_answer(dict(body))


def _restrictions(cloud: Cloud, request: Request, subscription: str) -> Answer:
    details = _object(request).get("resourceDetails") or {}
    content = details.get("resourceContent") or {}
    type_ = str(content.get("type", ""))
    denied = policy.denials(
        cloud.subscription(subscription), type_, bool(content.get("location")) or type_.lower() == GROUP_TYPE.lower(), content
    )
    evaluations = [
        {
            "policyInfo": {"policyDefinitionId": d["policyDefinitionId"], "policyAssignmentId": d["policyAssignmentId"]},
            "evaluationResult": "NonCompliant",
            "effectDetails": {"policyEffect": "Deny"},
            "evaluationDetails": d["evaluationDetails"],
        }
        for d in denied
    ]
    return json_answer({"fieldRestrictions": [], "contentEvaluationResult": {"policyEvaluations": evaluations}})
