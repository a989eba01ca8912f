"""Which vendor's formula sizes which application, from the load as it was said. The formulas themselves are in
tools.rules.sizing.formulas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tools.rules.sizing import formulas
from tools.rules.sizing.formulas import Sizes, Span
from tools.values.requirements import Source

Load = Mapping[str, float]
"""By unit: {"users": 500}, {"agents": 900}."""


@dataclass(frozen=True)
class Sized:
    """What is known of an application's size; a size that nobody published is None."""

    application: str
    cpu_count: Span | None
    memory_gib: Span | None
    disk_gib: Span | None
    source: Source
    because: str
    warning: str = ""
    bare: tuple[str, ...] = ()
    """Of `memory_gib` and `disk_gib` those that are the application's own need: that of the system comes on top."""


def _by(application: str, sizes: Sizes, title: str, because: str, bare: tuple[str, ...] = ()) -> Sized:
    source = Source(title=title, date=formulas.TAKEN, grade="formula")
    return Sized(application, sizes.cpu_count, sizes.memory_gib, sizes.disk_gib, source, because, bare=bare)


def _jupyterhub(load: Load) -> Sized | None:
    if "users" not in load:
        return None
    because = "Half of the users at once, each with 1 GB, half a processor and 5 GB of disk, as in the vendor's example."
    return _by("Littlest JupyterHub", formulas.littlest_jupyterhub(int(load["users"])), formulas.LITTLEST_JUPYTERHUB, because)


def _odoo(load: Load) -> Sized | None:
    if "users" not in load:
        return None
    because = "One worker serves six users at once; twice the processors and one is the number of workers."
    return _by("Odoo", formulas.odoo(int(load["users"])), formulas.ODOO, because, ("memory_gib",))


def _keycloak(load: Load) -> Sized | None:
    if "logins_per_second" not in load:
        return None
    because = "One vCPU for 15 password logins a second; the high end is the vendor's limit, with 150 % head-room."
    return _by("Keycloak", formulas.keycloak(load["logins_per_second"]), formulas.KEYCLOAK, because, ("memory_gib",))


def _openproject(load: Load) -> Sized | None:
    if load.get("users", 0) <= 500:
        return None  # rows say more
    return _by("OpenProject", formulas.openproject(int(load["users"])), formulas.OPENPROJECT, "So much for every 500 active users.")


def _prometheus(load: Load) -> Sized | None:
    if "samples_per_second" not in load:
        return None
    disk = formulas.prometheus_disk_gib(load["samples_per_second"])
    because = "15 days of 2 bytes a sample, filling at most 80 % of the disk."
    return _by("Prometheus", Sizes(disk_gib=disk), formulas.PROMETHEUS, because, ("disk_gib",))


def _immich(load: Load) -> Sized | None:
    if "data_gib" not in load:
        return None
    disk = formulas.immich_disk_gib(load["data_gib"])
    return _by("Immich", Sizes(disk_gib=disk), formulas.IMMICH, "The library, 10-20 % for what is made from it, and the database.")


def _artifactory(load: Load) -> Sized | None:
    if "data_gib" not in load:
        return None
    disk = formulas.artifactory_disk_gib(load["data_gib"])
    return _by("Artifactory", Sizes(disk_gib=disk), formulas.ARTIFACTORY, "Three times the stored artifacts.", ("disk_gib",))


def _redis_enterprise(load: Load) -> Sized | None:
    if "data_gib" not in load:
        return None
    sizes = formulas.redis_enterprise(load["data_gib"])
    because = "The data and its replica, with 30 % of the memory free, and three times the memory on disk."
    return _by("Redis Enterprise", sizes, formulas.REDIS_ENTERPRISE, because, ("disk_gib",))


def _mattermost(load: Load) -> Sized | None:
    if "users" not in load:
        return None
    files = formulas.mattermost_files_gb(int(load["users"]), 12)
    because = "Files of twelve months at medium use, 5-25 MB a user and month."
    return _by("Mattermost", Sizes(disk_gib=files), formulas.MATTERMOST, because, ("disk_gib",))


FORMULAS: dict[str, Callable[[Load], Sized | None]] = {
    "Artifactory": _artifactory,
    "Immich": _immich,
    "Keycloak": _keycloak,
    "Littlest JupyterHub": _jupyterhub,
    "Mattermost": _mattermost,
    "Odoo": _odoo,
    "OpenProject": _openproject,
    "Prometheus": _prometheus,
    "Redis Enterprise": _redis_enterprise,
}
FORMULA_UNITS = {"Littlest JupyterHub": "users", "Odoo": "users", "Keycloak": "logins_per_second"}
"""The load without which nothing can be said."""
