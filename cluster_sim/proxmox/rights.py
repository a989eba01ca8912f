"""Users, roles and rights as clients read them; what they mean is decided in access.py."""

from __future__ import annotations

from typing import Any

from .access import BUILT_IN_ROLES, Who
from .call import Call
from .errors import failed, forbidden


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


def users(call: Call) -> list[dict[str, Any]]:
    sees_all = call.may("/access/groups", "User.Modify", "Sys.Audit")
    rows = []
    for user in call.cluster.access.users.values():
        if not sees_all and user.name != call.who.user:
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
    if user != call.who.user and not call.may(f"/access/users/{user}", "User.Modify"):
        raise forbidden(f"/access/users/{user}", "User.Modify")
    found = call.cluster.access.users.get(user)
    if found is None or name not in found.tokens:
        raise failed(f"no such token '{name}' for user '{user}'")
    return {"privsep": int(found.tokens[name].separate), "expire": found.tokens[name].expires_at}
