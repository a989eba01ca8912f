"""Users, groups and access lists as they are made, changed and removed. What they then mean is decided in access.py.

Rules and words are those of pve-access-control 9 (commit 5ccd07d9 of 2026-05-15: API2/User.pm, Group.pm, ACL.pm, AccessControl.pm), read
2026-11-30.
"""

from __future__ import annotations

import re
from typing import Any

from .access import Grant, User
from .call import Address, Call, needs
from .errors import bad_parameters, failed
from .parameters import BOOLEAN, LIST, TEXT, integer, matching, split_list
from .rights import require_groups, require_user

_REALM = r"[A-Za-z][A-Za-z0-9.\-_]+"
_ID = matching(rf"(?=.{{3,64}}$)[^\s:/]+@{_REALM}", "value does not look like a valid user name\n")
_GROUP = matching(r"[A-Za-z0-9.\-_]+", "group name contains invalid characters\n")
_PASSWORD = matching(r".{8,64}", "value must be between 8 and 64 characters long\n")
_NAME = r"[A-Za-z0-9.\-_]+"
_PATH = re.compile(
    r"/|/access|/access/groups|/nodes|/pool|/sdn|/storage|/vms|/mapping|/access/realm|/sdn/(controllers|dns|ipams|zones|fabrics)"
    rf"|/access/(groups|realm)/{_NAME}|/nodes/{_NAME}|/pool/{_NAME}(/{_NAME}){{0,2}}|/storage/{_NAME}|/vms/[1-9][0-9]{{2,}}"
    rf"|/sdn/controllers/[A-Za-z0-9_\-]+|/sdn/(dns|ipams|fabrics)/[A-Za-z0-9]+|/sdn/zones/{_NAME}(/{_NAME}(/[1-9][0-9]{{0,3}})?)?"
    rf"|/mapping/{_NAME}(/{_NAME})?"
)
_BESIDES = {"/storage/": "Datastore.Allocate", "/vms/": "VM.Allocate", "/pool/": "Pool.Allocate"}
"""Who holds this on such a path may hand out there what they hold themselves."""
_DETAILS = ("firstname", "lastname", "email", "keys")
_USER = {
    "comment": TEXT,
    "email": TEXT,
    "enable": BOOLEAN,
    "expire": integer(0),
    "firstname": TEXT,
    "groups": LIST,
    "keys": matching(r"[0-9a-zA-Z!=]{0,4096}"),
    "lastname": TEXT,
}


def add_user(call: Call) -> None:
    access, name = call.cluster.access, str(call.values["userid"])
    realm = name.rpartition("@")[2]
    call.require(f"/access/realm/{realm}", "Realm.AllocateUser")
    wanted = split_list(call.get("groups") or "")
    require_groups(call, wanted, "User.Modify")
    if name in access.users:
        raise failed(f"create user failed: user '{name}' already exists")
    if (password := call.get("password")) is not None and realm != "pve":
        raise failed(f"create user failed: auth domain '{realm}' does not exist" if realm != "pam" else "create user failed: not simulated")
    _assert_groups(call, wanted, "create user failed")
    access.users[name] = User(name, password)
    _set(call, access.users[name])


def change_user(call: Call) -> None:
    wanted = split_list(call.get("groups") or "")
    user = require_user(call, str(call.values["userid"]), "User.Modify", into=wanted)
    _assert_groups(call, wanted, "update user failed")
    _set(call, user)


def remove_user(call: Call) -> None:
    name = str(call.values["userid"])
    call.require(f"/access/realm/{name.rpartition('@')[2]}", "Realm.AllocateUser")
    user = require_user(call, name, "User.Modify")
    access = call.cluster.access
    del access.users[user.name]
    access.grants[:] = [one for one in access.grants if one.to.partition("!")[0] != user.name]


def _assert_groups(call: Call, wanted: list[str], what: str) -> None:
    for group in wanted:
        if group not in call.cluster.access.every_group:
            raise failed(f"{what}: no such group '{group}'")


def _set(call: Call, user: User) -> None:
    user.enabled = call.get("enable", user.enabled)
    user.expires_at = call.get("expire", user.expires_at)
    user.comment = call.get("comment", user.comment)
    user.details |= {name: call.values[name] for name in _DETAILS if name in call.values}
    if call.get("groups") is not None:
        before = user.groups if call.get("append") else ()
        user.groups = tuple(dict.fromkeys((*before, *split_list(call.values["groups"]))))


def add_group(call: Call) -> None:
    access, name = call.cluster.access, str(call.values["groupid"])
    if name in access.every_group:
        raise failed(f"create group failed: group '{name}' already exists")
    access.groups[name] = call.get("comment", "")


def group(call: Call) -> dict[str, Any]:
    name = _existing_group(call, "")
    access = call.cluster.access
    members = [user.name for user in access.users.values() if name in user.groups]
    return {"members": members} | ({"comment": access.groups[name]} if access.groups.get(name) else {})


def change_group(call: Call) -> None:
    name = _existing_group(call, "update group failed: ")
    call.cluster.access.groups[name] = call.get("comment", call.cluster.access.groups.get(name, ""))


def remove_group(call: Call) -> None:
    name = _existing_group(call, "delete group failed: ")
    access = call.cluster.access
    access.groups.pop(name, None)
    for user in access.users.values():
        user.groups = tuple(one for one in user.groups if one != name)
    access.grants[:] = [one for one in access.grants if one.to != f"@{name}"]


def _existing_group(call: Call, what: str) -> str:
    name = str(call.values["groupid"])
    if name not in call.cluster.access.every_group:
        raise failed(f"{what}group '{name}' does not exist")
    return name


def change_acl(call: Call) -> None:
    access, removes, goes = call.cluster.access, bool(call.get("delete")), bool(call.get("propagate", True))
    path = _normal(str(call.values["path"]))
    call.require(path, "Permissions.Modify", *(right for begin, right in _BESIDES.items() if path.startswith(begin)))
    to = [*(f"@{one}" for one in split_list(call.get("groups") or "")), *split_list(call.get("users") or "")]
    to += split_list(call.get("tokens") or "")
    if not to:
        raise bad_parameters(dict.fromkeys(("users", "groups", "tokens"), "either 'users', 'groups' or 'tokens' is required."))
    if not removes and not _PATH.fullmatch(path):
        raise bad_parameters({"path": f"invalid ACL path '{call.values['path']}'"})
    held = call.cluster.privileges(call.who, path)
    for role in split_list(call.values["roles"]):
        if role not in access.roles:
            raise failed(f"ACL update failed: role '{role}' does not exist")
        verb = "remove" if removes else "add"
        if "Permissions.Modify" not in held:
            if role == "NoAccess" or access.roles[role] - set(held):
                raise bad_parameters({"role": f"Cannot {verb} role '{role}' - requires 'Permissions.Modify' or superset of privileges."})
            if goes and not removes and not all(held[one] for one in access.roles[role]):
                text = f"Cannot {verb} role '{role}' with propagation - requires 'Permissions.Modify' or propagated superset of privileges."
                raise bad_parameters({"role": text})
        for one in to:
            _assert_there(call, one)
            access.grants[:] = [g for g in access.grants if (g.path, g.to, g.role) != (path, one, role)]
            if not removes:
                access.grants.append(Grant(path, one, role, goes))


def _normal(path: str) -> str:
    whole = re.sub(r"/+", "/", path if path.startswith("/") else f"/{path}").rstrip("/") or "/"
    if not re.fullmatch(r"[A-Za-z0-9.\-_/]+", whole):
        raise bad_parameters({"path": f"invalid ACL path '{path}'"})
    return whole


def _assert_there(call: Call, to: str) -> None:
    access, (user, _, token) = call.cluster.access, to.partition("!")
    if to.startswith("@"):
        if to[1:] not in access.every_group:
            raise failed(f"ACL update failed: group '{to[1:]}' does not exist")
    elif user not in access.users:
        raise failed(f"ACL update failed: user '{user}' does not exist")
    elif token and token not in access.users[user].tokens:
        raise failed(f"ACL update failed: no such token '{token}' for user '{user}'")


_GROUPS = needs("/access/groups", "Group.Allocate")
CHANGES: tuple[Address, ...] = (
    Address("POST", "/access/users", add_user, takes=_USER | {"userid": _ID.must, "password": _PASSWORD}),
    Address("PUT", "/access/users/{userid}", change_user, takes=_USER | {"append": BOOLEAN.with_("groups")}),
    Address("DELETE", "/access/users/{userid}", remove_user),
    Address("POST", "/access/groups", add_group, _GROUPS, {"groupid": _GROUP.must, "comment": TEXT}),
    Address("GET", "/access/groups/{groupid}", group, needs("/access/groups", "Sys.Audit", "Group.Allocate")),
    Address("PUT", "/access/groups/{groupid}", change_group, _GROUPS, {"comment": TEXT}),
    Address("DELETE", "/access/groups/{groupid}", remove_group, _GROUPS),
    Address(
        "PUT",
        "/access/acl",
        change_acl,
        takes={
            "path": TEXT.must,
            "roles": LIST.must,
            "users": LIST,
            "groups": LIST,
            "tokens": LIST,
            "propagate": BOOLEAN,
            "delete": BOOLEAN,
        },
    ),
)
