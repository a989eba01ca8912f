"""Microsoft.ManagedIdentity: user-assigned identities and the federations that let workloads use them."""

from __future__ import annotations

from cluster_sim.azure.cloud import Cloud
from cluster_sim.azure.errors import ArmError
from cluster_sim.azure.kinds import Change, Kind, resource_name

_I = "Microsoft.ManagedIdentity/userAssignedIdentities"
FEDERATIONS_MAX = 20


def _fill(change: Change) -> None:
    properties = change.properties
    properties |= {
        "principalId": change.guid("principal"),
        "clientId": change.guid("client"),
        "tenantId": change.cloud.world.tenant.id,
    }


def _check_federation(change: Change) -> None:
    for name in ("issuer", "subject", "audiences"):
        if not change.properties.get(name):
            raise ArmError(400, "BadRequest", f"The federated identity credential '{change.name}' has no '{name}'.")
    parent = change.address.parent
    others = [
        r
        for r in change.cloud.store.of_type(f"{_I}/federatedIdentityCredentials", parent.id if parent else "")
        if r.key != change.address.key
    ]
    if len(others) >= FEDERATIONS_MAX:
        raise ArmError(400, "BadRequest", f"Too many federated identity credentials: an identity has at most {FEDERATIONS_MAX}.")
    for other in others:
        if all(other.properties.get(n) == change.properties.get(n) for n in ("issuer", "subject")):
            raise ArmError(
                409,
                "Conflict",
                "Issuer and subject combination already exists for this Managed Identity. Existing federated identity "
                f"credential name: {other.name}.",
            )


def principals(cloud: Cloud) -> set[str]:
    """Every object id the directory knows: ours, the world's, and those of identities made here."""
    known = {cloud.world.tenant.object_id, *cloud.world.tenant.principals}
    for resource in cloud.store.resources.values():
        known.add(str((resource.body.get("identity") or {}).get("principalId", "")))
        if resource.type == _I:
            known.add(resource.properties["principalId"])
        kubelet = (resource.properties.get("identityProfile") or {}).get("kubeletidentity") or {}
        known.add(str(kubelet.get("objectId", "")))
    return {principal.lower() for principal in known if principal}


KINDS = (
    Kind(
        _I,
        slow=False,
        state=False,
        stamped=True,
        name=resource_name(r"[A-Za-z0-9][A-Za-z0-9_-]{2,127}", "It has 3 to 128 letters, digits, '-' and '_'."),
        fill=_fill,
    ),
    Kind(f"{_I}/federatedIdentityCredentials", located=False, slow=False, state=False, check=_check_federation),
)
