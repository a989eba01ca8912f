"""Who may do what: users, tokens, roles and access lists, evaluated as Proxmox does. Who is calling is found out in front.py."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

_TIERS: dict[str, tuple[str, str, str, str]] = {
    "VM": (
        "",
        "Allocate Clone Config.CPU Config.Disk Config.HWType Config.Memory Config.Network Config.Options GuestAgent.Unrestricted "
        "Migrate Replicate Snapshot Snapshot.Rollback",
        "Backup Config.CDROM Config.Cloudinit Console GuestAgent.FileRead GuestAgent.FileSystemMgmt GuestAgent.FileWrite PowerMgmt",
        "Audit GuestAgent.Audit",
    ),
    "Sys": ("AccessNetwork Incoming Modify PowerMgmt", "Console Syslog", "", "Audit"),
    "Datastore": ("", "Allocate AllocateTemplate", "AllocateSpace", "Audit"),
    "SDN": ("", "Allocate", "Use", "Audit"),
    "Pool": ("", "Allocate", "Audit", "Audit"),
    "Mapping": ("", "Modify", "Use", "Audit"),
    "User": ("", "Modify", "", ""),
    "Group": ("", "Allocate", "", ""),
    "Realm": ("Allocate", "AllocateUser", "", ""),
    "Permissions": ("Modify", "", "", ""),
}
"""What there is to be allowed, in Proxmox VE 9.2, by who gets it: root, administrators, users, auditors.

`VM.Monitor` went in 9.0.
"""


def _privileges(groups: tuple[str, ...], *tiers: int) -> frozenset[str]:
    return frozenset(f"{group}.{name}" for group in groups for tier in tiers for name in _TIERS[group][tier].split())


def _built_in_roles() -> dict[str, frozenset[str]]:
    everything = tuple(_TIERS)
    roles = {
        "NoAccess": frozenset[str](),
        "Administrator": PRIVILEGES,
        # Device mappings are for PVEMappingAdmin only.
        "PVEAdmin": _privileges(everything, 1, 2, 3) - {"Mapping.Modify"},
        "PVEAuditor": _privileges(everything, 3),
        "PVETemplateUser": frozenset({"VM.Audit", "VM.Clone"}),
        "PVEUserAdmin": _privileges(("User", "Group", "Realm"), 1),
    }
    for group in ("VM", "Sys", "Datastore", "SDN", "Pool", "Mapping"):
        roles[f"PVE{group}Admin"] = _privileges((group,), 1, 2, 3)
        if _TIERS[group][2]:
            roles[f"PVE{group}User"] = _privileges((group,), 2, 3)
    return roles


PRIVILEGES = _privileges(tuple(_TIERS), 0, 1, 2, 3)
BUILT_IN_ROLES = _built_in_roles()


def as_of(major: int, privileges: Iterable[str]) -> frozenset[str]:
    """In 8 one privilege, VM.Monitor, was what the guest agent's are since 9 (pve-access-control 9.0, 2026-11-29)."""
    if major >= 9:
        return frozenset(privileges)
    return frozenset("VM.Monitor" if one.startswith("VM.GuestAgent.") else one for one in privileges)


@dataclass(frozen=True)
class Who:
    user: str
    token: str | None = None

    @property
    def authid(self) -> str:
        return f"{self.user}!{self.token}" if self.token else self.user

    @property
    def is_root(self) -> bool:
        """A token of root@pam is not root."""
        return self.authid == "root@pam"


@dataclass(frozen=True)
class Token:
    secret: str
    separate: bool = True
    expires_at: int = 0
    comment: str = ""


@dataclass
class User:
    name: str
    password: str | None = None
    enabled: bool = True
    comment: str = ""
    groups: tuple[str, ...] = ()
    tokens: dict[str, Token] = field(default_factory=dict)
    expires_at: int = 0
    details: dict[str, str] = field(default_factory=dict)
    """`firstname`, `lastname`, `email`, `keys`."""

    def may_log_in(self, now: float) -> bool:
        return self.enabled and not 0 < self.expires_at < now


@dataclass(frozen=True)
class Grant:
    path: str
    to: str
    """A user, a token (`user@realm!name`) or a group (`@name`)."""
    role: str
    propagate: bool = True


@dataclass
class Access:
    users: dict[str, User]
    roles: dict[str, frozenset[str]]
    grants: list[Grant]
    everything: frozenset[str] = PRIVILEGES
    """What root may."""
    groups: dict[str, str] = field(default_factory=dict)
    """Those that were made as such → comment. Others are there because a user of the world file is in them."""

    @property
    def every_group(self) -> list[str]:
        return sorted({*self.groups, *(group for user in self.users.values() for group in user.groups)})

    def privileges(self, who: Who, path: str, pool: str | None = None) -> dict[str, bool]:
        """Privilege → does it go down to what is below `path`. `pool`: the one that the object at `path` is in."""
        if who.token is None:
            return self._of(who.authid, path, pool)
        mine = self._of(who.user, path, pool)
        token = self.users[who.user].tokens[who.token]
        if not token.separate:
            return mine
        its = self._of(who.authid, path, pool)
        return {p: goes and mine[p] for p, goes in its.items() if p in mine}

    def may(self, who: Who, path: str, *any_of: str, pool: str | None = None) -> bool:
        held = self.privileges(who, path, pool)
        return any(p in held for p in any_of)

    def paths(self) -> list[str]:
        always = ["/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms"]
        return sorted({*always, *(g.path for g in self.grants)})

    def _of(self, authid: str, path: str, pool: str | None) -> dict[str, bool]:
        if authid == "root@pam":
            return dict.fromkeys(self.everything, True)
        roles = self._roles(authid, path)
        # What is held on the pool counts on the guest as well, but goes no further down; NoAccess on either wins.
        from_pool = self._roles(authid, f"/pool/{pool}") if pool else {}
        roles = dict.fromkeys(from_pool, False) | roles
        if "NoAccess" in roles:
            return {}
        held: dict[str, bool] = {}
        for role, goes in roles.items():
            for privilege in self.roles.get(role, frozenset()):
                held[privilege] = held.get(privilege, False) or goes
        return held

    def _roles(self, authid: str, path: str) -> dict[str, bool]:
        # Going down, an entry for the user replaces what came from above, and hides those of the user's groups at the same place.
        roles: dict[str, bool] = {}
        groups = {f"@{g}" for g in self.users[authid].groups} if authid in self.users else set()
        for level in _levels(path):
            here = [g for g in self.grants if g.path == level and (g.propagate or level == path)]
            own = {g.role: g.propagate for g in here if g.to == authid}
            shared = {g.role: g.propagate for g in here if g.to in groups}
            roles = own or shared or roles
        return roles


def _levels(path: str) -> list[str]:
    parts = [p for p in path.split("/") if p]
    return ["/", *("/" + "/".join(parts[: n + 1]) for n in range(len(parts)))]
