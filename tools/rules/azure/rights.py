"""What a run may do in the subscription: the rights that a module needs, and which of them the login lacks.

A module needs to read, write and delete each type of resource that it makes (tools/data/azure-rights.csv, which a test holds against
terraform/), and to use those that others rest on. What the login may is told by a snapshot.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache

from tools.data import table
from tools.values.snapshot import Permission, SubscriptionSnapshot

USES = (
    "Microsoft.ContainerService/managedClusters/commandResults/read",
    "Microsoft.ContainerService/managedClusters/runCommand/action",
    "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    "Microsoft.Network/natGateways/join/action",
    "Microsoft.Network/networkInterfaces/join/action",
    "Microsoft.Network/networkSecurityGroups/join/action",
    "Microsoft.Network/privateDnsZones/join/action",
    "Microsoft.Network/publicIPAddresses/join/action",
    "Microsoft.Network/virtualNetworks/join/action",
    "Microsoft.Network/virtualNetworks/subnets/join/action",
    "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action",
    "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
)
"""Beside its own: what a resource needs of those that it is joined to; Azure permissions for Networking, Identity, Monitor and Containers,
read 2026-11-29. Each is needed where a module makes its type, or one below that."""
ASSIGNS = "Microsoft.Authorization/roleAssignments/"
ASSIGNER = "Role Based Access Control Administrator"
"""The built-in role that may assign roles and nothing else; Azure built-in roles, read 2026-11-29."""
ROLE_NAME = "Berth"


@cache
def modules() -> dict[str, frozenset[str]]:
    """Types of resources by module."""
    found: dict[str, frozenset[str]] = {}
    for row in table("azure-rights"):
        found[row["module"]] = found.get(row["module"], frozenset()) | {row["type"]}
    return found


def wanted(names: Iterable[str]) -> tuple[str, ...]:
    """The rights that these modules need, sorted."""
    types = frozenset[str]().union(*(modules().get(name, frozenset()) for name in names))
    own = (f"{one}/{verb}" for one in types for verb in ("read", "write", "delete"))
    uses = (use for use in USES if any(one == use.rsplit("/", 2)[0] or use.startswith(f"{one}/") for one in types))
    return tuple(sorted({*own, *uses}, key=str.lower))


def lacking(rights: Iterable[str], permissions: Iterable[Permission]) -> tuple[str, ...]:
    """Those that none of the login's roles allows."""
    able = tuple(permissions)
    return tuple(right for right in rights if not any(_allows(one, right) for one in able))


def _allows(permission: Permission, right: str) -> bool:
    return any(_matches(one, right) for one in permission.actions) and not any(_matches(one, right) for one in permission.not_actions)


def _matches(pattern: str, right: str) -> bool:
    """`*` stands for anything, also for several segments; letter case does not count."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), right, re.IGNORECASE) is not None


def missing(names: Iterable[str], seen: SubscriptionSnapshot) -> tuple[str, ...]:
    """What the login lacks for these modules; empty when nothing, or when it could not be seen."""
    names = tuple(names)
    if not seen.permissions:
        return ()
    namespaces = {one.partition("/")[0] for name in names for one in modules().get(name, ())}
    registers = (f"{one}/register/action" for one in seen.unregistered if one in namespaces)
    return lacking((*wanted(names), *registers), seen.permissions)


def grant(rights: Iterable[str], seen: SubscriptionSnapshot) -> str:
    """The line that gives the login what it lacks."""
    rights = tuple(rights)
    role = ASSIGNER if all(one.startswith(ASSIGNS) for one in rights) else "Contributor"
    if role == "Contributor" and any(one.startswith(ASSIGNS) for one in rights):
        role = ROLE_NAME
    scope = f"/subscriptions/{seen.subscription_id}"
    return f'az role assignment create --assignee {seen.principal or "<client id>"} --role "{role}" --scope {scope}'


def role_definition(names: Iterable[str], seen: SubscriptionSnapshot) -> str:
    """A role that may do just what these modules need, as `az role definition create --role-definition` takes it."""
    rights = (*wanted(names), "*/read", "*/register/action")
    role = {
        "Name": ROLE_NAME,
        "Description": "What Berth needs to plan, build, change and remove.",
        "Actions": sorted(set(rights), key=str.lower),
        "NotActions": [],
        "AssignableScopes": [f"/subscriptions/{seen.subscription_id}"],
    }
    return json.dumps(role, indent=2)


def spell(rights: Iterable[str]) -> str:
    """A few of them, by what they are for."""
    shown = tuple(rights)
    more = f" and {len(shown) - 3} more" if len(shown) > 3 else ""
    return f"{', '.join(shown[:3])}{more}"
