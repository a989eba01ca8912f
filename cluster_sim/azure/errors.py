"""What Azure Resource Manager says when it refuses: the code, the status and the words, one function each.

When to say it is decided elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from cluster_sim.http import Answer, json_answer


class ArmError(Exception):
    """A refusal, with all that the answer carries."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        target: str = "",
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message, self.target = status, code, message, target
        self.extra, self.headers = dict(extra or {}), dict(headers or {})

    @property
    def error(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message} | ({"target": self.target} if self.target else {}) | self.extra

    def answer(self) -> Answer:
        given = json_answer({"error": self.error}, self.status)
        return Answer(given.status, given.body, {**given.headers, "x-ms-failure-cause": "gateway", **self.headers})


def not_simulated(method: str, path: str) -> ArmError:
    return ArmError(501, "NotSimulated", f"cluster_sim does not simulate {method} {path}.")


def missing_api_version() -> ArmError:
    return ArmError(400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")


def invalid_api_version(version: str) -> ArmError:
    return ArmError(
        400,
        "InvalidApiVersionParameter",
        f"The api-version '{version}' is invalid. The supported versions are of the form 'YYYY-MM-DD' or 'YYYY-MM-DD-preview'.",
    )


def invalid_content(why: str) -> ArmError:
    return ArmError(400, "InvalidRequestContent", f"The request content was invalid and could not be deserialized: '{why}'.")


def subscription_not_found(subscription: str) -> ArmError:
    return ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")


def subscription_disabled(subscription: str) -> ArmError:
    return ArmError(
        409,
        "ReadOnlyDisabledSubscription",
        f"The subscription '{subscription}' is disabled and therefore marked as read only. You cannot perform any write actions "
        "on this subscription until it is re-enabled.",
    )


def group_not_found(group: str) -> ArmError:
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def group_being_deleted(group: str) -> ArmError:
    return ArmError(
        409,
        "ResourceGroupBeingDeleted",
        f"The resource group '{group}' is in deprovisioning state and cannot perform this operation.",
    )


def resource_not_found(path: str, group: str) -> ArmError:
    where = f" under resource group '{group}'" if group else ""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{path}'{where} was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def parent_not_found(parent: str) -> ArmError:
    return ArmError(
        404,
        "ParentResourceNotFound",
        f"Can not perform requested operation on nested resource. Parent resource '{parent}' not found.",
    )


def location_required() -> ArmError:
    return ArmError(400, "LocationRequired", "The location property is required for this definition.")


def location_not_available(location: str, type_: str, regions: Iterable[str]) -> ArmError:
    return ArmError(
        400,
        "LocationNotAvailableForResourceType",
        f"The provided location '{location}' is not available for resource type '{type_}'. "
        f"List of available regions for the resource type is '{','.join(regions)}'.",
    )


def group_location_not_available(location: str, regions: Iterable[str]) -> ArmError:
    return ArmError(
        400,
        "LocationNotAvailableForResourceGroup",
        f"The provided location '{location}' is not available for resource group. List of available regions is '{','.join(regions)}'.",
    )


def group_location_fixed(location: str, there: str) -> ArmError:
    return ArmError(
        409,
        "InvalidResourceGroupLocation",
        f"Invalid resource group location '{location}'. The Resource group already exists in location '{there}'.",
    )


def location_fixed(name: str, group: str, there: str, location: str) -> ArmError:
    return ArmError(
        409,
        "InvalidResourceLocation",
        f"The resource '{name}' already exists in location '{there}' in resource group '{group}'. "
        f"A resource with the same name cannot be created in location '{location}'. Please select a new resource name.",
    )


def not_registered(subscription: str, namespace: str) -> ArmError:
    return ArmError(
        409,
        "MissingSubscriptionRegistration",
        f"The subscription is not registered to use namespace '{namespace}'. "
        "See https://aka.ms/rps-not-found for how to register subscriptions.",
        extra={
            "details": [
                {
                    "code": "MissingSubscriptionRegistration",
                    "target": namespace,
                    "message": f"The subscription '{subscription}' is not registered to use namespace '{namespace}'.",
                }
            ]
        },
    )


def not_authorised(client: str, object_id: str, action: str, scope: str) -> ArmError:
    return ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{client}' with object id '{object_id}' does not have authorization to perform action '{action}' over scope "
        f"'{scope}' "
        "or the scope is invalid. If access was recently granted, please refresh your credentials.",
    )


def denied_by_policy(name: str, denials: Iterable[Mapping[str, Any]]) -> ArmError:
    found = list(denials)
    identifiers = [
        {
            "policyAssignment": {"name": d["policyAssignmentDisplayName"], "id": d["policyAssignmentId"]},
            "policyDefinition": {"name": d["policyDefinitionDisplayName"], "id": d["policyDefinitionId"]},
        }
        for d in found
    ]
    return ArmError(
        403,
        "RequestDisallowedByPolicy",
        f"Resource '{name}' was disallowed by policy. Policy identifiers: '{json.dumps(identifiers, separators=(',', ':'))}'.",
        target=name,
        extra={"additionalInfo": [{"type": "PolicyViolation", "info": d} for d in found]},
    )


def locked(scope: str, verb: str, locks: Iterable[str]) -> ArmError:
    return ArmError(
        409,
        "ScopeLocked",
        f"The scope '{scope}' cannot perform {verb} operation because following scope(s) are locked: '{','.join(locks)}'. "
        "Please remove the lock and try again.",
    )


def busy(id_: str) -> ArmError:
    return ArmError(409, "AnotherOperationInProgress", f"Another operation on this or dependent resource is in progress. Resource: {id_}.")


def nested_first(what: str) -> ArmError:
    return ArmError(409, "CannotDeleteResource", f"Can not delete resource before nested resources are deleted. Nested: {what}.")


def reference_not_found(referenced: str, by: str) -> ArmError:
    return ArmError(
        400,
        "InvalidResourceReference",
        f"Resource {referenced} referenced by resource {by} was not found. "
        "Please make sure that the referenced resource exists, and that both resources are in the same region.",
    )


def invalid_parameter(message: str, target: str = "") -> ArmError:
    return ArmError(400, "InvalidParameter", message, target=target)


def throttled(retry_after_s: int) -> ArmError:
    return ArmError(
        429,
        "TooManyRequests",
        f"The request is being throttled as the limit has been reached for this operation. Please retry after {retry_after_s} seconds.",
        headers={"Retry-After": str(retry_after_s)},
    )
