"""A model of a Debian host: its files, packages, services and people. Nothing here runs anything; what Ansible says to it is modules.py."""

from __future__ import annotations

import hashlib
import posixpath
import time
from dataclasses import dataclass, field
from typing import Literal

from cluster_sim.guests.emulated.packages import CATALOGUE
from cluster_sim.guests.values import GuestSpec

MARK = "/run/cluster_sim-emulated"
NOTICE = "This is an emulated guest of cluster_sim: it answers SSH and Ansible from a model, and runs nothing."
VERSION = "12.15"
CODENAME = "bookworm"
# fmt: off
FOLDERS = (
    "/bin", "/boot", "/dev", "/etc", "/etc/apt", "/etc/apt/apt.conf.d", "/etc/apt/sources.list.d", "/etc/apt/keyrings",
    "/etc/cron.d", "/etc/default", "/etc/logrotate.d", "/etc/profile.d", "/etc/security", "/etc/ssh",
    "/etc/ssh/sshd_config.d", "/etc/sudoers.d", "/etc/sysctl.d", "/etc/systemd", "/etc/systemd/system",
    "/etc/systemd/resolved.conf.d", "/etc/systemd/timesyncd.conf.d", "/etc/update-motd.d", "/home", "/lib", "/lib/systemd",
    "/lib/systemd/system", "/media", "/mnt", "/opt", "/proc", "/root", "/run", "/sbin", "/srv", "/sys", "/usr",
    "/usr/bin", "/usr/lib", "/usr/local", "/usr/local/bin", "/usr/local/sbin", "/usr/sbin", "/usr/share",
    "/usr/share/zoneinfo", "/usr/share/keyrings", "/var", "/var/backups", "/var/cache", "/var/lib", "/var/log",
    "/var/www",
)
# fmt: on
TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108
PEOPLE = (
    ("root", 0, "/root", "/bin/bash"),
    ("daemon", 1, "/usr/sbin", "/usr/sbin/nologin"),
    ("www-data", 33, "/var/www", "/usr/sbin/nologin"),
)
GROUPS = (("root", 0), ("daemon", 1), ("adm", 4), ("tty", 5), ("sudo", 27), ("www-data", 33), ("users", 100), ("nogroup", 65534))
FIRST_PERSON, FIRST_SYSTEM = 1000, 100


class HostProblem(Exception):
    """The host cannot do that: a real one would have failed too, or it is not modelled, and the text says which."""


@dataclass
class Entry:
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
class Person:
    name: str
    uid: int
    gid: int
    home: str
    shell: str = "/bin/bash"
    comment: str = ""
    password: str = "!"  # noqa: S105  what Debian writes for nobody's password
    groups: set[str] = field(default_factory=set)


@dataclass
class Service:
    name: str
    running: bool = False
    enabled: bool = False
    masked: bool = False
    ports: tuple[int, ...] = ()


@dataclass
class Database:
    """What the PostgreSQL server keeps."""

    roles: dict[str, str | None] = field(default_factory=lambda: {"postgres": None})
    databases: dict[str, str] = field(default_factory=lambda: {"postgres": "postgres", "template1": "postgres"})


@dataclass
class Host:
    hostname: str
    address: str
    prefix: int
    gateway: str
    mac: str
    files: dict[str, Entry] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    database: Database = field(default_factory=Database)
    lists_updated_s: float = 0.0
    booted_s: float = field(default_factory=time.time)

    # Files

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

    def read(self, path: str) -> bytes:
        entry = self.entry(path)
        if entry is None:
            raise HostProblem(f"{path}: No such file or directory")
        if entry.kind == "directory":
            raise HostProblem(f"{path}: Is a directory")
        return entry.data

    def text(self, path: str) -> str:
        entry = self.entry(path)
        return "" if entry is None else entry.data.decode("utf-8", "replace")

    def write(self, path: str, data: bytes, mode: int | None = None, owner: str | None = None) -> Entry:
        path = self.resolve(path)
        folder = self.files.get(posixpath.dirname(path))
        if folder is None or folder.kind != "directory":
            raise HostProblem(f"Destination directory {posixpath.dirname(path)} does not exist")
        entry = self.files.get(path)
        if entry is None:
            entry = self.files[path] = Entry(
                "file", mode=0o644 if mode is None else mode, owner=owner or "root", group=self.group_of(owner)
            )
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
        path = self.resolve(path, follow=False)
        doomed = [each for each in self.files if each == path or each.startswith(f"{path}/")]
        for each in doomed:
            del self.files[each]
        return bool(doomed)

    def children(self, path: str) -> list[str]:
        path = self.resolve(path).rstrip("/")
        return sorted(
            each for each in self.files if each.startswith(f"{path}/") and "/" not in each[len(path) + 1 :] and each != "/"
        )

    # People

    def group_of(self, name: str | None) -> str:
        person = self.people.get(name or "root")
        return next((group for group, gid in self.groups.items() if person is not None and gid == person.gid), "root")

    def free_id(self, taken: set[int], first: int) -> int:
        return next(number for number in range(first, 60_000) if number not in taken)

    def add_group(self, name: str, gid: int | None = None, system: bool = False) -> None:
        self.groups[name] = (
            gid if gid is not None else self.free_id(set(self.groups.values()), FIRST_SYSTEM if system else FIRST_PERSON)
        )
        self.write_people()

    def add_person(
        self, name: str, home: str | None = None, shell: str = "/bin/bash", system: bool = False, uid: int | None = None
    ) -> Person:
        first = FIRST_SYSTEM if system else FIRST_PERSON
        uid = uid if uid is not None else self.free_id({person.uid for person in self.people.values()}, first)
        if name not in self.groups:
            self.add_group(name, None if uid in self.groups.values() else uid)
        person = self.people[name] = Person(name, uid, self.groups[name], home or f"/home/{name}", shell)
        self.write_people()
        return person

    def write_people(self) -> None:
        """Keeps the files that programs look people up in."""
        people = [f"{p.name}:x:{p.uid}:{p.gid}:{p.comment}:{p.home}:{p.shell}" for p in self.people.values()]
        members = {name: sorted(p.name for p in self.people.values() if name in p.groups) for name in self.groups}
        groups = [f"{name}:x:{gid}:{','.join(members[name])}" for name, gid in self.groups.items()]
        shadow = [f"{p.name}:{p.password}:20000:0:99999:7:::" for p in self.people.values()]
        self.files["/etc/passwd"] = Entry("file", ("\n".join(people) + "\n").encode())
        self.files["/etc/group"] = Entry("file", ("\n".join(groups) + "\n").encode())
        self.files["/etc/shadow"] = Entry("file", ("\n".join(shadow) + "\n").encode(), 0o640)

    # Packages and services

    def install(self, name: str) -> None:
        """Installs a package of the catalogue with what it needs: its people, files and services, as Debian's own scripts leave them."""
        package = CATALOGUE[name]
        if name in self.packages:
            return
        for needed in package.needs:
            self.install(needed)
        self.packages[name] = package.version
        for person in package.people:
            if person not in self.people:
                self.add_person(
                    person, package.home or "/nonexistent", "/usr/sbin/nologin" if not package.home else "/bin/bash", system=True
                )
        for folder in package.folders:
            self.make_folder(folder)
        for path, text in package.files.items():
            self.make_folder(posixpath.dirname(path))
            if path not in self.files:
                self.write(path, text.encode())
        for service, ports in package.services.items():
            self.services[service] = Service(service, running=True, enabled=True, ports=ports)

    def uninstall(self, name: str) -> None:
        package = CATALOGUE[name]
        del self.packages[name]
        for service in package.services:
            self.services.pop(service, None)

    def service(self, name: str) -> Service | None:
        name = name.removesuffix(".service")
        name = ALIASES.get(name, name)
        if name in self.services:
            return self.services[name]
        for folder in ("/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system"):
            if self.entry(f"{folder}/{name}.service") is not None:
                return self.services.setdefault(name, Service(name))
        return None

    def listens(self, port: int) -> bool:
        return port == 22 or any(port in self.ports_of(service) for service in self.services.values() if service.running)

    def ports_of(self, service: Service) -> tuple[int, ...]:
        if service.name == "postgresql":
            return (int(self.postgres_settings().get("port", "5432")),)
        return service.ports

    def postgres_settings(self) -> dict[str, str]:
        settings = {"max_connections": "100", "shared_buffers": "128MB", "port": "5432", "listen_addresses": "localhost"}
        folder = "/etc/postgresql/15/main"
        for path in (
            f"{folder}/postgresql.conf",
            *self.children(f"{folder}/conf.d"),
            "/var/lib/postgresql/15/main/postgresql.auto.conf",
        ):
            for line in self.text(path).splitlines():
                name, _, value = line.partition("#")[0].partition("=")
                if value:
                    settings[name.strip()] = value.strip().strip("'")
        return settings


ALIASES = {
    "sshd": "ssh",
    "chronyd": "chrony",
    "postgresql@15-main": "postgresql",
    "node_exporter": "node_exporter",
    "dbus-broker": "dbus",
}


def new_host(spec: GuestSpec) -> Host:
    """A host as cloud-init leaves it after its first boot."""
    host = Host(spec.hostname, str(spec.address.ip), spec.address.network.prefixlen, str(spec.gateway), spec.mac.lower())
    host.files["/"] = Entry("directory", mode=0o755)
    for folder in (*FOLDERS, *TEMPORARY):
        host.make_folder(folder)
    for name, gid in GROUPS:
        host.groups[name] = gid
    for name, uid, home, shell in PEOPLE:
        host.people[name] = Person(name, uid, uid, home, shell)
    for folder in TEMPORARY:
        host.files[folder].mode = 0o1777
    host.files["/root"].mode = 0o700
    for name, package in CATALOGUE.items():
        if package.in_image:
            host.install(name)
    host.write("/etc/hosts", f"127.0.0.1 localhost\n{spec.address.ip} {spec.hostname}\n".encode())
    host.write("/etc/timezone", b"Etc/UTC\n")
    host.files["/etc/localtime"] = Entry("link", target="/usr/share/zoneinfo/Etc/UTC", mode=0o777)
    host.write("/etc/debian_version", f"{VERSION}\n".encode())
    release = f'PRETTY_NAME="Debian GNU/Linux 12 ({CODENAME})"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION_CODENAME={CODENAME}\nID=debian\n'
    host.write("/etc/os-release", release.encode())
    host.write("/etc/motd", f"{NOTICE}\n".encode())
    host.write(MARK, f"{NOTICE}\n".encode())
    # Where systemd has a machine say what it is for; whoever looks can tell it from one that runs something.
    host.write("/etc/machine-info", b"DEPLOYMENT=emulated\n")
    set_up(host, spec)
    return host


def set_up(host: Host, spec: GuestSpec) -> None:
    """What cloud-init does for each new word of its drive: names, the first user and who may log in as him."""
    host.hostname, host.address, host.prefix = spec.hostname, str(spec.address.ip), spec.address.network.prefixlen
    host.gateway, host.mac = str(spec.gateway), spec.mac.lower()
    host.write("/etc/hostname", f"{spec.hostname}\n".encode())
    person = host.people.get(spec.user) or host.add_person(spec.user)
    person.groups |= {"sudo", "adm"} if spec.user != "root" else set()
    host.make_folder(f"{person.home}/.ssh", 0o700, spec.user)
    host.files[person.home].owner, host.files[person.home].group = spec.user, host.group_of(spec.user)
    host.write(f"{person.home}/.ssh/authorized_keys", ("\n".join(spec.ssh_keys) + "\n").encode(), 0o600, spec.user)
    host.write_people()
