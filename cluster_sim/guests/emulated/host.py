"""A model of a Debian host: its files, packages, services and accounts, as values that change.

Nothing here runs anything, and nothing here knows Ansible or SSH: what they say to a host is modules.py and commands.py.
"""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import dataclass, field
from typing import Literal

from cluster_sim.guests.emulated.packages import CATALOGUE, IN_IMAGE
from cluster_sim.guests.values import GuestSpec

MARK = "/run/cluster_sim-emulated"
NOTICE = "This is an emulated guest of cluster_sim: it answers SSH and Ansible from a model, and runs nothing."
VERSION = "12.15"
CODENAME = "bookworm"
FOLDERS = """/etc/apt/sources.list.d /etc/cron.d /etc/default /etc/profile.d /etc/ssh/sshd_config.d /etc/sudoers.d /etc/sysctl.d
/etc/systemd/system /home /mnt /opt /root /run /srv /tmp /usr/local/bin /usr/share/zoneinfo /var/cache /var/lib /var/log /var/tmp
/var/www"""
TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108
GROUPS = (("root", 0), ("adm", 4), ("sudo", 27), ("www-data", 33), ("users", 100), ("nogroup", 65534))
FIRST_ID, FIRST_SYSTEM_ID = 1000, 100


class HostProblem(Exception):
    """The host cannot do that: a real one would have failed too, or it is not modelled, and the text says which."""


@dataclass
class Entry:
    """What lies at one path."""

    kind: Literal["file", "directory", "link"]
    data: bytes = b""
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"
    target: str = ""

    @property
    def checksum(self) -> str:
        return hashlib.sha1(self.data, usedforsecurity=False).hexdigest()


@dataclass
class Account:
    name: str
    uid: int
    gid: int
    home: str
    shell: str = "/bin/bash"
    password: str = "!"  # noqa: S105  what Debian writes where nobody has one
    groups: set[str] = field(default_factory=set)


@dataclass
class Service:
    name: str
    running: bool = True
    enabled: bool = True


@dataclass
class Drive:
    device: str
    serial: str
    size_gib: int
    fstype: str | None = None
    fs_gib: int = 0
    """Of its file system."""


@dataclass
class Drives:
    found: dict[str, Drive] = field(default_factory=dict)
    """By the interface that each is plugged in."""
    mounted: dict[str, str] = field(default_factory=dict)
    """Folder → device."""

    def plug(self, drives: tuple[tuple[str, str, int], ...]) -> None:
        """As the machine is configured at this start; what was on one stays."""
        for number, (interface, serial, size_gib) in enumerate(drives):
            prefix = "vd" if interface.startswith("virtio") else "sd"
            drive = self.found.setdefault(interface, Drive("", serial, size_gib))
            drive.device, drive.serial, drive.size_gib = f"/dev/{prefix}{chr(ord('b') + number)}", serial, size_gib
        self.found = {interface: self.found[interface] for interface, _, _ in drives}

    def at(self, device: str) -> Drive:
        found = next((one for one in self.found.values() if device in (one.device, *_links(one))), None)
        if found is None:
            raise HostProblem(f"{device}: No such file or directory")
        return found


def _links(drive: Drive) -> tuple[str, ...]:
    return tuple(f"/dev/disk/by-id/{prefix}{drive.serial}" for prefix in ("scsi-0QEMU_QEMU_HARDDISK_", "virtio-") if drive.serial)


@dataclass
class Host:
    hostname: str
    address: str
    files: dict[str, Entry] = field(default_factory=lambda: {"/": Entry("directory", mode=0o755)})
    accounts: dict[str, Account] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=lambda: dict(GROUPS))
    packages: set[str] = field(default_factory=set)
    services: dict[str, Service] = field(default_factory=dict)
    roles: dict[str, str | None] = field(default_factory=lambda: {"postgres": None})
    """PostgreSQL's accounts with their passwords."""
    drives: Drives = field(default_factory=Drives)
    databases: dict[str, str] = field(default_factory=lambda: {"postgres": "postgres", "template1": "postgres"})
    """PostgreSQL's databases with their owners."""

    # Files. Each of these raises HostProblem where a real host would refuse.

    def resolve(self, path: str, follow: bool = True) -> str:
        """The path with its links followed; the last one only when asked."""
        path = posixpath.normpath(path)
        for _ in range(16):
            folder, _, name = path.rpartition("/")
            if folder:
                path = posixpath.join(self.resolve(folder), name)
            entry = self.files.get(path)
            if entry is None or entry.kind != "link" or not follow:
                return path
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), entry.target))
        raise HostProblem(f"Too many levels of symbolic links: {path}")

    def entry(self, path: str, follow: bool = True) -> Entry | None:
        return self.files.get(self.resolve(path, follow))

    def existing(self, path: str) -> Entry:
        entry = self.entry(path)
        if entry is None:
            raise HostProblem(f"{path}: No such file or directory")
        return entry

    def read(self, path: str) -> bytes:
        entry = self.existing(path)
        if entry.kind == "directory":
            raise HostProblem(f"{path}: Is a directory")
        return entry.data

    def text(self, path: str) -> str:
        """Its text, or nothing where there is no such file."""
        entry = self.entry(path)
        return "" if entry is None else entry.data.decode("utf-8", "replace")

    def write(self, path: str, data: bytes, mode: int | None = None, owner: str | None = None) -> Entry:
        """An existing file keeps its owner, and its mode where none is given."""
        path = self.resolve(path)
        folder = self.files.get(posixpath.dirname(path))
        if folder is None or folder.kind != "directory":
            raise HostProblem(f"Destination directory {posixpath.dirname(path)} does not exist")
        entry = self.files.get(path)
        if entry is None:
            entry = self.files[path] = Entry("file", owner=owner or "root", group=self.group_of(owner or "root"))
        if entry.kind == "directory":
            raise HostProblem(f"{path} is a directory")
        entry.data = data
        if mode is not None:
            entry.mode = mode
        return entry

    def make_folder(self, path: str, mode: int = 0o755, owner: str = "root") -> None:
        path = self.resolve(path)
        missing = []
        while path not in self.files:
            missing.append(path)
            path = posixpath.dirname(path)
        if self.files[path].kind != "directory":
            raise HostProblem(f"{path} is not a directory")
        for each in reversed(missing):
            self.files[each] = Entry("directory", mode=mode, owner=owner, group=self.group_of(owner))

    def remove(self, path: str) -> bool:
        """Removes it with all below it; whether it was there."""
        path = self.resolve(path, follow=False)
        doomed = [each for each in self.files if each == path or each.startswith(f"{path}/")]
        for each in doomed:
            del self.files[each]
        return bool(doomed)

    def children(self, path: str) -> list[str]:
        path = self.resolve(path)
        return sorted(each for each in self.files if posixpath.dirname(each) == path and each != "/")

    # Accounts

    def account(self, name: str) -> Account:
        if name not in self.accounts:
            raise HostProblem(f"unknown user {name}")
        return self.accounts[name]

    def group_of(self, name: str) -> str:
        account = self.accounts.get(name)
        return next((group for group, gid in self.groups.items() if account is not None and gid == account.gid), "root")

    def add_account(self, name: str, home: str, shell: str = "/bin/bash", first_id: int = FIRST_ID) -> Account:
        taken = {account.uid for account in self.accounts.values()} | set(self.groups.values())
        uid = next(number for number in range(first_id, 60_000) if number not in taken)
        gid = self.groups.setdefault(name, uid)
        account = self.accounts[name] = Account(name, uid, gid, home, shell)
        return account

    # Packages and services

    def install(self, name: str, started: bool = True) -> None:
        """Installs a package of the catalogue with what it needs, as Debian's own scripts leave it: `started` or only enabled."""
        package = CATALOGUE[name]
        if name in self.packages:
            return
        for needed in package.needs:
            self.install(needed, started)
        self.packages.add(name)
        if package.account and package.account not in self.accounts:
            self.add_account(package.account, package.home, "/usr/sbin/nologin", FIRST_SYSTEM_ID)
        for folder in package.folders:
            self.make_folder(folder)
        for path, text in package.files.items():
            self.make_folder(posixpath.dirname(path))
            if self.entry(path) is None:
                self.write(path, text.encode())
        if package.service:
            self.services[package.service] = Service(package.service, running=started)


def new_host(spec: GuestSpec) -> Host:
    """A host as cloud-init leaves it after its first boot."""
    host = Host(spec.hostname, str(spec.address.ip))
    host.accounts["root"] = Account("root", 0, 0, "/root")
    for folder in FOLDERS.split():
        host.make_folder(folder)
    for folder in TEMPORARY:
        host.files[folder].mode = 0o1777
    host.files["/root"].mode = 0o700
    for name in IN_IMAGE:
        host.install(name)
    host.write("/etc/hosts", f"127.0.0.1 localhost\n{host.address} {host.hostname}\n".encode())
    host.write("/etc/timezone", b"Etc/UTC\n")
    host.files["/etc/localtime"] = Entry("link", target="/usr/share/zoneinfo/Etc/UTC", mode=0o777)
    host.write("/etc/motd", f"{NOTICE}\n".encode())
    host.write(MARK, f"{NOTICE}\n".encode())
    # Where systemd has a machine say what it is for; whoever looks can tell it from one that runs something.
    host.write("/etc/machine-info", b"DEPLOYMENT=emulated\n")
    set_up(host, spec)
    return host


def set_up(host: Host, spec: GuestSpec) -> None:
    """What cloud-init does for each new word of its drive: names, the first user, and who may log in as that user."""
    host.hostname, host.address = spec.hostname, str(spec.address.ip)
    host.drives.plug(spec.drives)
    host.write("/etc/hostname", f"{spec.hostname}\n".encode())
    account = host.accounts.get(spec.user) or host.add_account(spec.user, f"/home/{spec.user}")
    account.groups |= {"sudo", "adm"} if spec.user != "root" else set()
    host.make_folder(f"{account.home}/.ssh", 0o700, spec.user)
    host.files[account.home].owner, host.files[account.home].group = spec.user, host.group_of(spec.user)
    host.write(f"{account.home}/.ssh/authorized_keys", ("\n".join(spec.ssh_keys) + "\n").encode(), 0o600, spec.user)
