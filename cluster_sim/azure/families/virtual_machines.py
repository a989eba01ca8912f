"""Microsoft.Compute/virtualMachines: what a Linux machine must say, what it brings along, and what Azure changes of it. Its body, if it
has one, is in cluster_sim.azure.machines.

Rules, read 2026-11-30: learn.microsoft.com "Trusted Launch for Azure virtual machines" (systems, generation 2), the compute API's OSProfile
(user names), "Create and manage SSH keys for authentication to a Linux VM" (RSA of 2,048 bits and ED25519), "Resize a virtual machine" (a
running one restarts); PropertyChangeNotAllowed for keys as terraform-provider-azurerm quotes it (helpers/azure/ssh.go). That a system disk
grows on a machine that is deallocated, and never shrinks, is from memory, and so are texts of errors.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from cluster_sim.azure.cloud import Cloud, stamp
from cluster_sim.azure.data import table
from cluster_sim.azure.errors import ArmError, invalid_parameter, resource_not_found
from cluster_sim.azure.families.compute import check_size, check_zones, data_disks_max
from cluster_sim.azure.kinds import Change, Kind, resource_name
from cluster_sim.azure.store import Resource
from cluster_sim.http import Request

_C = "Microsoft.Compute"
MACHINE = f"{_C}/virtualMachines"
_NAMES_REFUSED = frozenset(
    ("1", "123", "a", "actuser", "adm", "admin", "admin1", "admin2", "administrator", "aspnet", "backup", "console", "david", "guest")
) | {"john", "owner", "root", "server", "sql", "support", "support_388945a0", "sys", "test", "test1", "test2", "test3"}
_USERS_REFUSED = re.compile(r"user[1-5]?")
_RSA_BITS_MIN = 2048
_TRUSTED = "TrustedLaunch"
_SYSTEM_DISK_GIB_MAX, _DATA_DISK_GIB_MAX, _UNCACHED_GIB = 4095, 32767, 4096
"""learn.microsoft.com, "Introduction to Azure managed disks" and "Azure premium storage: design for high performance" (disks of 4 TiB and
more are not cached), from memory."""


def _check(change: Change) -> None:
    check_size(change)
    properties = change.properties
    if change.creating:
        size = str((properties.get("hardwareProfile") or {}).get("vmSize", ""))
        subscription = change.cloud.subscription(change.address.subscription)
        check_zones(change.cloud, subscription, size, change.location, change.body.get("zones"), f"{MACHINE}/{change.name}")
    if "osProfile" not in properties:  # of a disk that had its system already
        return
    for part, lists in (("networkProfile", "networkInterfaces"), ("storageProfile", "osDisk")):
        if not (properties.get(part) or {}).get(lists):
            raise invalid_parameter(f"Required parameter '{part}' is missing (null).", part)
    _check_login(properties["osProfile"])
    _check_image(properties)
    _check_data_disks(properties)
    _check_interfaces(change)
    if change.before is not None:
        _check_changes(change, change.before)


def _check_login(profile: dict[str, Any]) -> None:
    user, linux = str(profile.get("adminUsername") or ""), profile.get("linuxConfiguration") or {}
    if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,63}", user) or user in _NAMES_REFUSED or _USERS_REFUSED.fullmatch(user):
        raise invalid_parameter("The Admin Username specified is not allowed.", "adminUsername")
    keys = (linux.get("ssh") or {}).get("publicKeys") or []
    if not profile.get("adminPassword") and not (linux.get("disablePasswordAuthentication") and keys):
        raise invalid_parameter(
            "Authentication using either SSH or by user name and password must be enabled in Linux profile.", "linuxConfiguration"
        )
    for key in keys:
        if key.get("path") != f"/home/{user}/.ssh/authorized_keys":
            raise invalid_parameter(
                f"Destination path for SSH public keys is currently limited to its default value /home/{user}/.ssh/authorized_keys due to "
                "a known issue in Linux provisioning agent.",
                "linuxConfiguration.ssh.publicKeys.path",
            )
        if not _is_key(str(key.get("keyData") or "")):
            raise invalid_parameter(
                "The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid.", "linuxConfiguration.ssh.publicKeys.keyData"
            )


def _is_key(text: str) -> bool:
    """An RSA key of 2,048 bits or more, or an ED25519 one."""
    kind, _, rest = text.strip().partition(" ")
    try:
        blob = base64.b64decode(rest.split(" ")[0], validate=True)
    except (binascii.Error, ValueError):
        return False
    fields: list[bytes] = []
    while len(blob) >= 4:
        length = int.from_bytes(blob[:4])
        fields, blob = [*fields, blob[4 : 4 + length]], blob[4 + length :]
    if not fields or fields[0] != kind.encode():
        return False
    if kind == "ssh-rsa":
        return len(fields) == 3 and int.from_bytes(fields[2]).bit_length() >= _RSA_BITS_MIN
    return kind == "ssh-ed25519" and len(fields) == 2 and len(fields[1]) == 32


def _check_image(properties: dict[str, Any]) -> None:
    wanted = properties["storageProfile"].get("imageReference") or {}
    named = [str(wanted.get(part) or "") for part in ("publisher", "offer", "sku", "version")]
    row = next((row for row in table("images") if [row["publisher"], row["offer"], row["sku"]] == named[:3]), None)
    if row is None or not named[3]:
        raise ArmError(
            404,
            "PlatformImageNotFound",
            f"The platform image '{':'.join(named)}' is not available. Verify that all fields in the storage profile are correct.",
        )
    disk = properties["storageProfile"]["osDisk"]
    if (disk.get("diskSizeGB") or 0) > _SYSTEM_DISK_GIB_MAX:
        raise invalid_parameter(
            f"The specified disk size {disk['diskSizeGB']} GB is larger than the maximum of {_SYSTEM_DISK_GIB_MAX} GB of an OS disk.",
            "osDisk.diskSizeGB",
        )
    if (disk.get("diskSizeGB") or row["disk_gib"]) < row["disk_gib"]:
        raise ArmError(
            400,
            "InvalidParameter",
            f"The specified disk size {disk['diskSizeGB']} GB is smaller than the size of the corresponding disk in the VM image: "
            f"{row['disk_gib']} GB. This is not allowed.",
        )
    security = properties.get("securityProfile") or {}
    if security.get("securityType") == _TRUSTED and not row["trusted_launch"]:
        raise ArmError(
            400,
            "BadRequest",
            "Use of TrustedLaunch setting is not supported for the provided image. Please select Trusted Launch Supported Gen2 OS Image.",
        )
    if security.get("uefiSettings") and security.get("securityType") not in (_TRUSTED, "ConfidentialVM"):
        raise invalid_parameter(
            "The property 'uefiSettings' is not valid for the security type 'Standard'.", "securityProfile.uefiSettings"
        )


def _check_data_disks(properties: dict[str, Any]) -> None:
    """As many as the size takes (MaxDataDiskCount of its SKU), each with a LUN of its own. Codes and texts are from memory."""
    disks, size = properties["storageProfile"].get("dataDisks") or [], properties["hardwareProfile"]["vmSize"]
    most = data_disks_max(table("skus")["sizes"][size])
    if len(disks) > most:
        raise ArmError(
            409,
            "OperationNotAllowed",
            f"The maximum number of data disks allowed to be attached to a VM of this size is {most}.",
        )
    luns = [disk.get("lun") for disk in disks]
    if len(set(luns)) < len(luns):
        raise invalid_parameter(f"A disk at LUN {max(luns, key=luns.count)} already exists.", "dataDisk.lun")
    for disk in disks:
        if disk.get("diskSizeGB", 0) > _DATA_DISK_GIB_MAX or (
            disk.get("diskSizeGB", 0) >= _UNCACHED_GIB and disk.get("caching", "None") != "None"
        ):
            raise invalid_parameter(f"Disk size {disk['diskSizeGB']} GB is not supported, or not with caching.", "dataDisk.diskSizeGB")
        if disk.get("createOption") == "Empty" and not disk.get("diskSizeGB"):
            raise invalid_parameter("Required parameter 'dataDisk.diskSizeGB' is missing (null).", "dataDisk.diskSizeGB")


def _check_interfaces(change: Change) -> None:
    for row in change.properties["networkProfile"]["networkInterfaces"]:
        nic = change.cloud.find(str(row.get("id", "")))
        if nic is None:
            continue  # told by the rule of references
        if nic.location != change.location:
            raise ArmError(400, "InvalidResourceReference", f"Resource {nic.id} referenced by resource {change.address.id} was not found.")
        for other in change.cloud.store.of_type(MACHINE):
            if other.key != change.address.key and nic.key in interfaces_of(other):
                raise ArmError(
                    400, "NicInUse", f"Network Interface {nic.id} is used by existing resource {other.id} and cannot be used by another."
                )


def interfaces_of(machine: Resource) -> set[str]:
    rows = (machine.properties.get("networkProfile") or {}).get("networkInterfaces") or []
    return {str(row.get("id", "")).lower() for row in rows}


def _check_changes(change: Change, before: Resource) -> None:
    old, new = before.properties, change.properties
    fixed: dict[str, Callable[[dict[str, Any]], Any]] = {
        "linuxConfiguration.ssh.publicKeys": lambda p: ((p["osProfile"].get("linuxConfiguration") or {}).get("ssh") or {}).get(
            "publicKeys"
        ),
        "osProfile.adminUsername": lambda p: p["osProfile"].get("adminUsername"),
        "osProfile.computerName": lambda p: p["osProfile"].get("computerName"),
        "osProfile.customData": lambda p: p["osProfile"].get("customData"),
        "imageReference.sku": lambda p: p["storageProfile"]["imageReference"].get("sku"),
    }
    for name, of in fixed.items() if "osProfile" in old else ():
        if of(new) not in (None, of(old)):
            raise ArmError(409, "PropertyChangeNotAllowed", f"Changing property '{name}' is not allowed.")
    if change.body.get("zones", before.body.get("zones")) != before.body.get("zones"):
        raise ArmError(409, "ResourcePropertyChangeNotAllowed", "Changing property 'zones' is not allowed.")
    kept = {disk["lun"]: disk for disk in (new.get("storageProfile") or {}).get("dataDisks") or ()}
    for disk in (old.get("storageProfile") or {}).get("dataDisks") or ():
        if disk["lun"] in kept and kept[disk["lun"]].get("diskSizeGB", 0) < disk["diskSizeGB"]:
            raise ArmError(
                409,
                "ResizeDiskError",
                f"Disk {disk['name']} cannot be resized: its new size is smaller than the one that it has.",
            )
    disks = [(p.get("storageProfile") or {}).get("osDisk") or {} for p in (old, new)]
    was, wanted = (disk.get("diskSizeGB") for disk in disks)
    if was and wanted and was != wanted:
        raise ArmError(
            409,
            "OperationNotAllowed",
            f"Cannot resize disk {disks[0]['name']} while it is attached to running VM {change.address.id}. Resizing a disk of an Azure "
            "Virtual Machine requires the virtual machine to be deallocated. Please stop your VM and retry the operation.",
        )


def _fill(change: Change) -> None:
    properties = change.properties
    properties["vmId"] = change.guid("vm")
    properties.setdefault("timeCreated", stamp(change.cloud.now))
    if "osProfile" not in properties:
        return
    profile = properties["osProfile"]
    profile.pop("adminPassword", None)
    profile.pop("customData", None)
    profile |= {"secrets": [], "allowExtensionOperations": True, "requireGuestProvisionSignal": True}
    profile.setdefault("computerName", change.name)
    linux = profile.setdefault("linuxConfiguration", {})
    linux.setdefault("provisionVMAgent", True)
    linux.setdefault("patchSettings", {}).setdefault("patchMode", "ImageDefault")
    linux["patchSettings"].setdefault("assessmentMode", "ImageDefault")
    storage = properties["storageProfile"]
    storage["imageReference"].setdefault("exactVersion", "0.20261115.1000")
    disk = storage["osDisk"]
    disk.setdefault("osType", "Linux")
    disk.setdefault("name", f"{change.name}_OsDisk_1_{change.guid('disk').replace('-', '')}")
    disk.setdefault("deleteOption", "Detach")
    group = change.address.id.rpartition("/providers/")[0]
    disk.setdefault("managedDisk", {})["id"] = f"{group}/providers/{_C}/disks/{disk['name']}"
    for disk in storage.setdefault("dataDisks", []):
        lun = disk["lun"]
        disk.setdefault("name", f"{change.name}_disk{lun + 2}_{change.guid(f'data{lun}').replace('-', '')}")
        disk.setdefault("deleteOption", "Detach")
        disk.setdefault("toBeDetached", False)
        disk.setdefault("managedDisk", {}).setdefault("storageAccountType", "Standard_LRS")
        disk["managedDisk"]["id"] = f"{group}/providers/{_C}/disks/{disk['name']}"


def _written(change: Change) -> None:
    """Its disks come with it, as resources of their own."""
    if "osProfile" not in change.properties:
        return
    storage = change.properties["storageProfile"]
    for disk in (storage["osDisk"], *storage["dataDisks"]):
        if str(disk["managedDisk"]["id"]).lower() in change.cloud.store.resources:
            continue
        body = {
            "location": change.location,
            "tags": change.body.get("tags") or {},
            "sku": {"name": disk["managedDisk"].get("storageAccountType", "Standard_LRS")},
            "managedBy": change.address.id,
            "properties": {
                **({"osType": "Linux"} if disk is storage["osDisk"] else {}),
                "diskSizeGB": disk.get("diskSizeGB", 30),
                "diskState": "Attached",
                "provisioningState": "Succeeded",
            },
        }
        made = Resource(disk["managedDisk"]["id"], f"{_C}/disks", body, change.generation, change.cloud.now, change.cloud.now, "")
        change.cloud.store.resources[made.key] = made


def _removed(cloud: Cloud, machine: Resource) -> None:
    storage = machine.properties.get("storageProfile") or {}
    for disk in filter(None, (storage.get("osDisk"), *(storage.get("dataDisks") or ()))):
        if disk.get("deleteOption") == "Delete":
            cloud.store.resources.pop(str(disk["managedDisk"]["id"]).lower(), None)


def _instance_view(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    machine = cloud.find(words["machine"])
    if machine is None:
        raise resource_not_found(words["machine"].rpartition("/providers/")[2], words["group"])
    return _view(cloud, machine)


def _view(cloud: Cloud, machine: Resource) -> dict[str, Any]:
    ready = {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Ready", "time": stamp(cloud.now)}
    return {
        "computerName": machine.name,
        "osName": "debian",
        "hyperVGeneration": "V2",
        "vmAgent": {"vmAgentVersion": "2.2.54.2", "statuses": [{**ready, "message": "Guest Agent is running"}]},
        "statuses": [
            {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded", "time": stamp(cloud.now)},
            {"code": "PowerState/running", "level": "Info", "displayStatus": "VM running"},
        ],
    }


KINDS = (
    Kind(
        MACHINE,
        name=resource_name(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"),
        references=True,
        check=_check,
        fill=_fill,
        written=_written,
        removed=_removed,
        expands={"instanceView": _view},
    ),
)

ROUTES = (
    (
        "GET",
        r"(?P<machine>{subscription}/resourceGroups/(?P<group>[^/]+)/providers/Microsoft\.Compute/virtualMachines/[^/]+)/instanceView",
        _instance_view,
    ),
)
