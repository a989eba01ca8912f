"""Azure Policy, as far as it denies: which assignments of a subscription forbid a resource.

Reporting and remediation are not simulated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster_sim.azure.addresses import GROUP_TYPE
from cluster_sim.azure.filters import get_path
from cluster_sim.azure.world import PolicyRule, Subscription


def denials(subscription: Subscription, type_: str, located: bool, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The assignments that refuse this body, as the error carries them."""
    return [_told(subscription, rule, why) for rule in subscription.policies for why in _reasons(rule, type_, located, body)]


def assignments(subscription: Subscription) -> list[dict[str, Any]]:
    return [
        {
            "id": _assignment_id(subscription, rule),
            "name": rule.name,
            "type": "Microsoft.Authorization/policyAssignments",
            "properties": {
                "displayName": rule.display_name,
                "policyDefinitionId": _definition_id(rule),
                "scope": f"/subscriptions/{subscription.id}",
                "enforcementMode": "Default",
                "parameters": {k: {"value": list(v)} for k, v in _parameters(rule).items()},
            },
        }
        for rule in subscription.policies
    ]


def _reasons(rule: PolicyRule, type_: str, located: bool, body: Mapping[str, Any]) -> list[str]:
    location = str(body.get("location", "")).lower().replace(" ", "")
    if rule.allowed_locations and location and location != "global" and location not in rule.allowed_locations:
        return [f"location {location} is not in {', '.join(rule.allowed_locations)}"]
    asked = (type_ == GROUP_TYPE) == (rule.asked_of == "groups")
    if rule.required_tags and located and asked:
        missing = [tag for tag in rule.required_tags if tag.lower() not in {k.lower() for k in body.get("tags") or {}}]
        return [f"tag {tag} is missing" for tag in missing][:1]
    if rule.denied_types and type_.lower() in {t.lower() for t in rule.denied_types}:
        return [f"type {type_} is not allowed"]
    if rule.property and type_.lower() == rule.type.lower():
        value = get_path(body, rule.property)
        if value not in rule.one_of:
            return [f"{rule.property} is {value!r}, not one of {list(rule.one_of)}"]
    return []


def _parameters(rule: PolicyRule) -> dict[str, tuple[Any, ...]]:
    every = {
        "listOfAllowedLocations": rule.allowed_locations,
        "tagNames": rule.required_tags,
        "listOfResourceTypesNotAllowed": rule.denied_types,
        "allowedValues": rule.one_of,
    }
    return {k: v for k, v in every.items() if v}


def _told(subscription: Subscription, rule: PolicyRule, why: str) -> dict[str, Any]:
    return {
        "policyDefinitionDisplayName": rule.display_name,
        "policyDefinitionId": _definition_id(rule),
        "policyDefinitionName": rule.name,
        "policyDefinitionEffect": "deny",
        "policyAssignmentId": _assignment_id(subscription, rule),
        "policyAssignmentName": rule.name,
        "policyAssignmentDisplayName": rule.display_name,
        "policyAssignmentScope": f"/subscriptions/{subscription.id}",
        "policyAssignmentParameters": {k: {"value": list(v)} for k, v in _parameters(rule).items()},
        "evaluationDetails": {"reason": why},
    }


def _definition_id(rule: PolicyRule) -> str:
    return f"/providers/Microsoft.Authorization/policyDefinitions/{rule.name}"


def _assignment_id(subscription: Subscription, rule: PolicyRule) -> str:
    return f"/subscriptions/{subscription.id}/providers/Microsoft.Authorization/policyAssignments/{rule.name}"
