"""Microsoft.Authorization: role assignments, built-in role definitions, locks, and the list of policy assignments.

Whether a role lets somebody use data is asked by what serves data: blobs (`cluster_sim.azure.blobs`), and the objects inside a cluster
(`run_command`). Other data is not served.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from cluster_sim.azure import errors, filters, policy
from cluster_sim.azure.cloud import Cloud, stamp
from cluster_sim.azure.data import table
from cluster_sim.azure.errors import ArmError
from cluster_sim.azure.families.identity import principals
from cluster_sim.azure.kinds import Change, Kind, NameRule
from cluster_sim.azure.store import Resource
from cluster_sim.http import Request

_A = "Microsoft.Authorization"
_GUID = r"(?i:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})"


def _role(id_: str) -> tuple[str, str] | None:
    wanted = id_.rsplit("/", 1)[-1].lower()
    return next(((name, role) for name, role in table("roles").items() if role == wanted), None)


def holds_role(cloud: Cloud, principal: str, role: str, scope: str) -> bool:
    """Whether a principal has a built-in role at a scope or above it, and the assignment has come through."""
    wanted = table("roles")[role]
    for one in cloud.store.of_type(f"{_A}/roleAssignments"):
        at = str(one.properties["scope"]).lower().rstrip("/")
        right = str(one.properties["principalId"]).lower() == principal.lower() and str(one.properties["roleDefinitionId"]).endswith(wanted)
        if right and f"{scope.lower()}/".startswith(f"{at}/") and cloud.now >= one.created_at_s + cloud.world.role_propagation_s:
            return True
    return False


def _check_assignment(change: Change) -> None:
    properties = change.properties
    for name in ("roleDefinitionId", "principalId"):
        if not properties.get(name):
            raise ArmError(
                400,
                "InvalidCreateRoleAssignmentRequest",
                f"The request to create role assignment '{change.name}' is not valid: '{name}' is missing.",
            )
    role = _role(str(properties["roleDefinitionId"]))
    if role is None:
        raise ArmError(
            400,
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{str(properties['roleDefinitionId']).rsplit('/', 1)[-1]}' does not exist.",
        )
    # ARM answers the definition under the assignment's subscription, however it was asked for.
    properties["roleDefinitionId"] = f"/subscriptions/{change.address.subscription}/providers/{_A}/roleDefinitions/{role[1]}"
    scope = change.address.scope
    if change.before:
        if any(change.before.properties.get(n) != properties.get(n) for n in ("roleDefinitionId", "principalId")):
            raise ArmError(
                409,
                "RoleAssignmentUpdateNotPermitted",
                "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
            )
        return
    for other in change.cloud.store.of_type(f"{_A}/roleAssignments"):
        same = all(other.properties.get(n) == properties.get(n) for n in ("roleDefinitionId", "principalId"))
        if same and str(other.properties["scope"]).lower() == scope.lower():
            raise ArmError(
                409,
                "RoleAssignmentExists",
                f"The role assignment already exists. The ID of the existing role assignment is {other.name.replace('-', '')}.",
            )
    # With a type given Azure does not look the principal up, because a new one may not be replicated yet.
    if not properties.get("principalType") and str(properties["principalId"]).lower() not in principals(change.cloud):
        raise ArmError(
            400,
            "PrincipalNotFound",
            f"Principal {str(properties['principalId']).replace('-', '')} does not exist in the directory "
            f"{change.cloud.world.tenant.id}. "
            "Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a "
            "role, this error might be related to a "
            "replication delay. In this case, set the role assignment principalType property to a value, such as "
            "ServicePrincipal, User, or Group.",
        )


def _fill_assignment(change: Change) -> None:
    properties, tenant = change.properties, change.cloud.world.tenant
    made = change.before.created_at_s if change.before else change.cloud.now
    properties.setdefault("principalType", "ServicePrincipal")
    properties |= {
        "scope": change.address.scope or "/",
        "createdOn": stamp(made),
        "updatedOn": stamp(change.cloud.now),
        "createdBy": tenant.object_id,
        "updatedBy": tenant.object_id,
    }
    for name in ("condition", "conditionVersion", "delegatedManagedIdentityResourceId"):
        properties.setdefault(name, None)


def _check_lock(change: Change) -> None:
    if change.properties.get("level") not in ("CanNotDelete", "ReadOnly"):
        raise errors.invalid_parameter(
            f"The lock level '{change.properties.get('level')}' is invalid: it is CanNotDelete or ReadOnly.", "level"
        )


def _definition(name: str, role: str, scope: str) -> dict[str, Any]:
    return {
        "id": f"{scope}/providers/{_A}/roleDefinitions/{role}",
        "type": f"{_A}/roleDefinitions",
        "name": role,
        "properties": {
            "roleName": name,
            "type": "BuiltInRole",
            "description": "",
            "assignableScopes": ["/"],
            "permissions": _allowed(name),
        },
    }


def _allowed(role: str) -> list[dict[str, Any]]:
    known = table("permissions").get(role)
    return [{**known, "dataActions": [], "notDataActions": []}] if known else []


def _permissions(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    """What whoever asks may do there: a row for each of its roles. Azure REST, Permissions - List For Resource Group, 2022-04-01."""
    return {"value": _allowed(cloud.subscription(words["subscription"]).role)}


def seed(cloud: Cloud) -> None:
    """The role that the login has in each subscription is an assignment like any other."""
    tenant = cloud.world.tenant
    for subscription in cloud.world.subscriptions:
        at = f"/subscriptions/{subscription.id}"
        name = str(uuid.uuid5(uuid.UUID(tenant.object_id), at))
        properties = {
            "roleDefinitionId": f"{at}/providers/{_A}/roleDefinitions/{table('roles')[subscription.role]}",
            "principalId": tenant.object_id,
            "principalType": "ServicePrincipal",
            "scope": at,
            **dict.fromkeys(("createdOn", "updatedOn"), stamp(cloud.now)),
            **dict.fromkeys(("createdBy", "updatedBy"), tenant.object_id),
        }
        type_, now = f"{_A}/roleAssignments", cloud.now
        made = Resource(f"{at}/providers/{type_}/{name}", type_, {"properties": properties}, cloud.store.next_generation(), now, now, "")
        cloud.store.resources[made.key] = made


def _definitions(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    scope = re.match(r"/subscriptions/[^/]+", words["scope"] or "")
    every = [_definition(name, role, scope[0] if scope else "") for name, role in table("roles").items()]
    text = dict(request.query).get("$filter", "")
    if not text:
        return {"value": every}
    try:
        test = filters.read(re.sub(r"\s+and\s+atScopeAndBelow\(\)", "", text))
    except filters.FilterProblem as problem:
        raise ArmError(400, "UnsupportedQuery", f"The filter '{text}' is not supported. {problem}") from None
    return {"value": [row for row in every if test({"roleName": row["properties"]["roleName"], "type": "BuiltInRole"})]}


def _one_definition(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    role = _role(words["role"])
    if role is None:
        raise ArmError(404, "RoleDefinitionDoesNotExist", f"The specified role definition with ID '{words['role']}' does not exist.")
    scope = re.match(r"/subscriptions/[^/]+", words["scope"] or "")
    return _definition(*role, scope[0] if scope else "")


def _policies(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    return {"value": policy.assignments(cloud.subscription(words["subscription"]))}


KINDS = (
    Kind(
        f"{_A}/roleAssignments",
        located=False,
        slow=False,
        state=False,
        extends=True,
        name=NameRule(
            _GUID,
            "InvalidRoleAssignmentId",
            "The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID.",
        ),
        check=_check_assignment,
        fill=_fill_assignment,
    ),
    Kind(f"{_A}/locks", located=False, slow=False, state=False, extends=True, check=_check_lock),
)

ROUTES = (
    ("GET", rf"(?P<scope>.*)/providers/{re.escape(_A)}/roleDefinitions", _definitions),
    ("GET", rf"(?P<scope>.*)/providers/{re.escape(_A)}/roleDefinitions/(?P<role>[^/]+)", _one_definition),
    ("GET", rf"{{subscription}}(/resourceGroups/[^/]+)?/providers/{re.escape(_A)}/policyAssignments", _policies),
    ("GET", rf"{{subscription}}(/resourceGroups/[^/]+)?/providers/{re.escape(_A)}/permissions", _permissions),
)
