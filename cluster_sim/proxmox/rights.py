"""Users, roles and rights as clients read them; what they mean is decided in access.py. Whom one may read or change is decided here, as in
pve-access-control 9 (commit 5ccd07d9 of 2026-05-15: RPCEnvironment.pm), read 2026-11-30. A token is not the user to whom it belongs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .access import BUILT_IN_ROLES, User, Who
from .call import Call
from .errors import Refusal, failed, forbidden


def permissions(call: Call) -> dict[str, dict[str, int]]:
    """Path → privilege → does it go down. Only paths on which something is held."""
    access, who = call.cluster.access, call.who
    asked = call.get("userid")
    if asked and asked != who.authid:
        mine = asked.partition("!")[0] == who.user and who.token is None
        if not mine:
            call.require("/access", "Sys.Audit")
        user, _, token = asked.partition("!")
        if user not in access.users or (token and token not in access.users[user].tokens):
            raise failed(f"no such {'token' if token else 'user'} ('{asked}')")
        who = Who(user, token or None)
    in_pools = [f"/vms/{v}" for p in call.cluster.pools.values() for v in p.vmids]
    in_pools += [f"/storage/{s}" for p in call.cluster.pools.values() for s in p.storages]
    paths = [call.get("path")] if call.get("path") else sorted({*access.paths(), *in_pools})
    held = {p: {k: int(v) for k, v in sorted(call.cluster.privileges(who, p).items())} for p in paths}
    return {path: privileges for path, privileges in held.items() if privileges}


def require_user(call: Call, name: str, *any_of: str, into: Sequence[str] | None = None) -> User:
    """Proxmox's `userid-group`: held on all groups; or on one that the user is in and, where a call puts the user into groups, on each of
    these. Such a call must then name a group (`into`)."""
    access = call.cluster.access
    if (user := access.users.get(name)) is None:
        raise failed(f"no such user ('{name}')")
    if not call.may("/access/groups", *any_of):
        if into is not None:
            require_groups(call, into, *any_of)
        if not any(call.may(f"/access/groups/{group}", *any_of) for group in user.groups):
            raise Refusal(403, "Permission check failed")
    return user


def require_groups(call: Call, groups: Sequence[str], *any_of: str) -> None:
    if call.may("/access/groups", *any_of):
        return
    if not groups:
        raise forbidden("/access/groups", *any_of)
    for group in groups:
        if group not in call.cluster.access.every_group or not call.may(f"/access/groups/{group}", *any_of):
            raise forbidden(f"/access/groups/{group}", *any_of)


def require_self_or(call: Call, name: str, *any_of: str) -> User:
    user = call.cluster.access.users.get(name)
    return user if user and call.who.authid == name else require_user(call, name, *any_of)


def users(call: Call) -> list[dict[str, Any]]:
    audits = ("User.Modify", "Sys.Audit")
    sees_all = call.may("/access/groups", *audits)
    rows = []
    for user in call.cluster.access.users.values():
        if not (sees_all or user.name == call.who.authid or any(call.may(f"/access/groups/{group}", *audits) for group in user.groups)):
            continue
        row: dict[str, Any] = {
            "userid": user.name,
            "enable": int(user.enabled),
            "expire": user.expires_at,
            **user.details,
            "realm-type": user.name.partition("@")[2],
        }
        row |= {"comment": user.comment} if user.comment else {}
        if call.get("full"):
            row["groups"] = ",".join(user.groups)
            row["tokens"] = [
                {"tokenid": name, "privsep": int(t.separate), "expire": t.expires_at} | ({"comment": t.comment} if t.comment else {})
                for name, t in user.tokens.items()
            ]
        rows.append(row)
    return rows


def roles(call: Call) -> list[dict[str, Any]]:
    return [
        {"roleid": name, "privs": ",".join(sorted(privileges)), "special": int(name in BUILT_IN_ROLES)}
        for name, privileges in sorted(call.cluster.access.roles.items())
    ]


def role(call: Call) -> dict[str, int]:
    name = call.values["roleid"]
    if name not in call.cluster.access.roles:
        raise failed(f"role '{name}' does not exist")
    return dict.fromkeys(sorted(call.cluster.access.roles[name]), 1)


def acl(call: Call) -> list[dict[str, Any]]:
    sees_all = call.may("/access", "Sys.Audit", "Permissions.Modify")
    rows = []
    for grant in call.cluster.access.grants:
        if not sees_all and not call.may(grant.path, "Permissions.Modify"):
            continue
        kind = "group" if grant.to.startswith("@") else "token" if "!" in grant.to else "user"
        rows.append(
            {
                "path": grant.path,
                "type": kind,
                "ugid": grant.to.removeprefix("@"),
                "roleid": grant.role,
                "propagate": int(grant.propagate),
            }
        )
    return rows


def domains(call: Call) -> list[dict[str, Any]]:
    return [
        {"realm": "pam", "type": "pam", "comment": "Linux PAM standard authentication"},
        {"realm": "pve", "type": "pve", "comment": "Proxmox VE authentication server"},
    ]


def token(call: Call) -> dict[str, Any]:
    user, name = call.values["userid"], call.values["tokenid"]
    found = require_self_or(call, user, "User.Modify")
    if name not in found.tokens:
        raise failed(f"no such token '{name}' for user '{user}'")
    return {"privsep": int(found.tokens[name].separate), "expire": found.tokens[name].expires_at}
