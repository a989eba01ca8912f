"""What is wanted to know of a database that survives the loss of a machine, and how it becomes typed needs. Where it goes is not decided
here."""

from __future__ import annotations

import re
from itertools import product

from tools.capabilities.database_cluster.variables import BACKUP_FOLDER, SHARED_FOLDER
from tools.rules.databases.facts import EVERY_DATABASE
from tools.rules.databases.reading import read_database_name, read_engine, read_users, settle_database_sizes
from tools.rules.machines.facts import EVERY_MACHINE, VIRTUAL_ADDRESS
from tools.rules.names import naming
from tools.rules.request.attaching import read_virtual_address
from tools.rules.request.placing import read_placing
from tools.rules.request.reading import Reading
from tools.rules.request.wanting import wanted
from tools.rules.sizing import sizing
from tools.values.request import Fact
from tools.values.requirements import Needs
from tools.values.site import Site

WANTED = wanted(__package__, every_machine=EVERY_MACHINE, virtual_address=(VIRTUAL_ADDRESS,), **EVERY_DATABASE)

_DATABASES = ("postgresql database", "postgres database", "postgresql db", "postgres db", "postgresql", "postgres", "pg", "database", "db")
_BEFORE = (
    "highly available", "high availability", "high-availability", "ha", "fault tolerant", "fault-tolerant", "replicated", "clustered",
    "redundant",
)  # fmt: skip
_CLUSTER = ("cluster", "clusters", "ha cluster")
_SURVIVES = (
    "with failover", "with automatic failover", "that survives", "which survives", "that can survive", "that must survive",
    "that should survive", "that will survive", "to survive", "surviving",
)  # fmt: skip
_LOSSES = (
    "", "a node", "the loss of a node", "the failure of a node", "losing a node", "a node failure", "node failures", "a lost node",
    "a machine", "the loss of a machine",
)  # fmt: skip
WORDS = (
    "patroni",
    "patroni cluster",
    *(f"{database} {behind}" for database, behind in product(_DATABASES, _CLUSTER)),
    *(f"{before} {database}" for before, database in product(_BEFORE, _DATABASES)),
    *(f"{before} {database} {behind}" for before, database, behind in product(_BEFORE, _DATABASES, _CLUSTER)),
    *(f"{database} {survives} {loss}".strip() for database, survives, loss in product(_DATABASES, _SURVIVES, _LOSSES)),
)
"""What is a plain database until it is said what it survives: the words for both stand together, and the longer ones are heard first."""

FULFILLED = frozenset({"high_availability", "backup", "replicas"})
"""Wishes that it fulfils by what it is: its machines need not be started elsewhere by the cluster below."""

LEAST = 3
MEMBERS_MAX = 9
ETCD_MAX = 7
"""What etcd's own documentation names as the most (etcd.io, FAQ, "What is maximum cluster size?", 2026-11-29)."""
FOLDER = re.compile(r"(/[A-Za-z0-9._-]+){2,}/?")
SHARE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?:(/[A-Za-z0-9._-]+)+/?")
"""`filer.example.org:/export/pg`, as mount.nfs takes it."""


def understand(facts: tuple[Fact, ...], site: Site) -> Needs:
    reading = Reading.of("database_cluster", "proxmox", WANTED, tuple(map(_as_machines, _not_fulfilled(facts))))
    read_engine(reading)
    size = read_users(reading)
    read_placing(reading, site, workload="db", count=LEAST)
    read_virtual_address(reading)
    _check_members(reading)
    _read_etcd(reading)
    settle_database_sizes(reading, size, sizing.database_with_backups_disk_gib)
    read_database_name(reading)
    _read_backup_folder(reading)
    return reading.needs()


def _not_fulfilled(facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """Without the wishes; how many replicas are wanted is a number, and stays."""
    return tuple(fact for fact in facts if fact.name not in FULFILLED or fact.value.strip().isdecimal())


def _as_machines(fact: Fact) -> Fact:
    """So many replicas are one machine more."""
    if fact.name != "replicas" or not fact.value.strip().isdecimal():
        return fact
    return fact.model_copy(update={"name": "count", "value": str(int(fact.value) + 1)})


def _machines(reading: Reading) -> int:
    return next((int(f.value) for f in reading.fields if f.name == "count" and isinstance(f.value, int)), LEAST)


def _check_members(reading: Reading) -> None:
    count = _machines(reading)
    if count < LEAST:
        machines = "2 machines" if count == 2 else "1 machine"
        reading.refuse(
            f"A database on {machines} does not survive the loss of one: nobody would be left who could tell that it is lost. "
            f"Say {LEAST} machines or more, or ask for a plain PostgreSQL database.",
            "count",
            "postgresql",
        )
    elif count > MEMBERS_MAX:
        reading.refuse(f"{count} machines are too many for one database. Say {LEAST} to {MEMBERS_MAX} machines.", "count")


def _read_etcd(reading: Reading) -> None:
    said = reading.count("etcd_members", "members of etcd", 1, ETCD_MAX, "more make it slower and no safer.")
    count = _machines(reading)
    if said is None:
        if "etcd_members" not in reading.facts:
            reading.default("etcd_members", LEAST, "Three members of etcd agree on the primary as long as two of them are there.")
    elif said % 2 == 0 or said < LEAST:
        odd = [number for number in range(LEAST, ETCD_MAX + 1, 2) if number <= max(count, LEAST)]
        survived, majority = (said - 1) // 2, said // 2 + 1
        reading.refuse(
            f"etcd on {said} cannot be: {majority} must agree, so it would survive the loss of {survived or 'none'}"
            f"{', as one member fewer would' if said > LEAST else ''}. Say {' or '.join(map(str, odd))} members of etcd.",
            "etcd_members",
        )
    elif said > count:
        reading.refuse(
            f"{said} members of etcd do not fit on {count} machines, one on each. Say {said} machines, or {LEAST} members of etcd.",
            "etcd_members",
            "count",
        )
    else:
        reading.said("etcd_members", said)


def _read_backup_folder(reading: Reading) -> None:
    if "backup_folder" not in reading.facts:
        because = (
            "Nobody said where, so backups lie on its first machine. They help against a mistake, not against the loss of that machine."
        )
        reading.default("backup_folder", BACKUP_FOLDER, because)
        return
    said = reading.facts["backup_folder"].value.strip().strip("`'\"“”").rstrip("/")
    if FOLDER.fullmatch(said):
        reading.said("backup_folder", said)
    elif SHARE.fullmatch(said):
        reading.said("backup_share", said, fact="backup_folder")
        reading.default("backup_folder", SHARED_FOLDER, f"{said} is mounted there, on its first machine, by NFS.")
    elif re.fullmatch(r"/[A-Za-z0-9._-]+", said):
        reading.refuse(
            f"Backups cannot be all of {said}. Say a folder within it, as in `backup folder: {said}/postgresql`.", "backup_folder"
        )
    else:
        reading.refuse(
            f"{naming.shorten(said)} is no folder of a machine. Backups go to one of its first machine, where a disk or a share of yours "
            "may be mounted, or a share of NFS. Berth has no way yet to be given the keys of an object store. Say one, as in "
            "`backup folder: /mnt/backup` or `backup folder: filer.example.org:/export/database`.",
            "backup_folder",
        )
