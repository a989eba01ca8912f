"""The settings of a flexible server: what each may be, and what it is when the server is made. They come and go with the server.

Microsoft Learn, azure/postgresql "server parameters" (type, allowed values, static or dynamic) and "concepts-limits" (connections by size);
read 2026-11-30. Of some hundred settings these few are here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from cluster_sim.azure.cloud import Cloud
from cluster_sim.azure.errors import ArmError
from cluster_sim.azure.kinds import Change, Kind
from cluster_sim.azure.store import Resource


@dataclass(frozen=True)
class Setting:
    type: str
    allowed: str
    value: str
    """To begin with; empty: by the server's size."""
    dynamic: bool = True
    read_only: bool = False

    def takes(self, value: Any) -> bool:
        if not isinstance(value, str) or self.read_only:
            return False
        if self.type != "Integer":
            return value in self.allowed.split(",")
        low, _, high = self.allowed.partition("-")
        return bool(re.fullmatch(r"\d{1,19}", value)) and int(low) <= int(value) <= int(high)


_SWITCH = "on,off"
SETTINGS = {
    "max_connections": Setting("Integer", "25-5000", "", dynamic=False),
    "connection_throttle.enable": Setting("Boolean", _SWITCH, "off"),
    "listen_addresses": Setting("String", "*", "*", dynamic=False, read_only=True),
    "log_connections": Setting("Boolean", _SWITCH, "off"),
    "log_disconnections": Setting("Boolean", _SWITCH, "off"),
    "log_statement": Setting("Enumeration", "none,ddl,mod,all", "none"),
    "max_prepared_transactions": Setting("Integer", "0-262143", "0", dynamic=False),
    "require_secure_transport": Setting("Boolean", _SWITCH, "on"),
    "work_mem": Setting("Integer", "4096-2097151", "4096"),
}
_CONNECTIONS = {2: "50", 4: "429", 8: "859", 16: "1718", 32: "3437"}
"""By GiB of memory; more memory has 5,000."""
_GIB_A_CPU = {"B": 4, "D": 4, "E": 8}
_SMALL = {"Standard_B1ms": 2, "Standard_B2s": 4}


def connections(size: str) -> str:
    """Of a server that is made in this size; growing it later changes nothing."""
    found = re.match(r"Standard_([BDE])(\d+)", size)
    assert found, size
    return _CONNECTIONS.get(_SMALL.get(size) or _GIB_A_CPU[found[1]] * int(found[2]), "5000")


def come(change: Change) -> None:
    """With a server that is made."""
    for name, setting in SETTINGS.items():
        value, now = setting.value or connections(str(change.body["sku"]["name"])), change.cloud.now
        told = {"dataType": setting.type, "allowedValues": setting.allowed, "isDynamicConfig": setting.dynamic}
        told |= {"isReadOnly": setting.read_only, "isConfigPendingRestart": False}
        body = {"properties": {"value": value, "defaultValue": value, "source": "system-default", **told}}
        id_ = f"{change.address.id}/configurations/{name}"
        one = Resource(id_, f"{change.address.type}/configurations", body, change.cloud.store.next_generation(), now, now, "")
        change.cloud.store.resources[one.key] = one


def _check(change: Change) -> None:
    setting = SETTINGS.get(change.name)
    if setting is None:
        raise ArmError(400, "ConfigurationNotExists", f"The configuration '{change.name}' does not exist for the server.")
    # What is not said stays; a PUT of `source` alone takes back nothing.
    value = change.properties.get("value", change.before.properties["value"] if change.before else None)
    if not setting.takes(value):
        raise ArmError(
            400,
            "InvalidParameterValue",
            f"Invalid value given for parameter {change.name}. It is {'read-only' if setting.read_only else setting.allowed}.",
        )


def _fill(change: Change) -> None:
    before = change.before.properties if change.before else {}
    kept = {name: value for name, value in before.items() if name not in ("value", "source")}
    value = change.properties.get("value", before.get("value"))
    waits = kept.get("isConfigPendingRestart") or (not SETTINGS[change.name].dynamic and value != before.get("value"))
    change.body["properties"] = {**kept, "value": value, "source": "user-override", "isConfigPendingRestart": bool(waits)}


def _removing(cloud: Cloud, resource: Resource) -> None:
    raise ArmError(405, "MethodNotAllowed", f"The configuration '{resource.name}' cannot be deleted; it is set to another value.")


def kind(server: str) -> Kind:
    return Kind(
        f"{server}/configurations", located=False, state=False, created=202, updated=202, check=_check, fill=_fill, removing=_removing
    )
