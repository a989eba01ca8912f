"""Microsoft.DBforPostgreSQL: flexible servers, their databases, settings and administrators. No database answers here.

Rules: learn.microsoft.com azure/postgresql concepts-networking-private, concepts-compute, concepts-storage-premium-ssd,
concepts-limits and concepts-supported-versions (2025-11 to 2026-01); codes as terraform-provider-azurerm's issues 22585 and 24549
quote them. A link of the zone to the network is not asked for: concepts-networking-private says that it no longer is when a
server is made.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from cluster_sim.azure.cloud import Cloud
from cluster_sim.azure.errors import ArmError, resource_not_found
from cluster_sim.azure.families import postgresql_settings
from cluster_sim.azure.kinds import Change, Kind, NameRule
from cluster_sim.http import Request

SERVER = "Microsoft.DBforPostgreSQL/flexibleServers"
_NAME = NameRule(
    r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*",
    "InvalidServerName",
    "The server name '{name}' is invalid. It has 3 to 63 small letters, digits and single '-', and begins and ends with a letter or digit.",
)
_RULE_NAME = NameRule(
    r"[A-Za-z0-9_-]{1,128}",
    "InvalidParameterValue",
    "Invalid value given for parameter FirewallRuleName '{name}'. It has 1 to 128 letters, digits, '-' and '_'.",
)
"""Microsoft Learn, "Naming rules and restrictions for Azure resources", read 2026-11-30."""
_ZONE = ".postgres.database.azure.com"
TIERS = {"B": "Burstable", "D": "GeneralPurpose", "E": "MemoryOptimized"}
"""By the first letter of a size."""
SIZES = re.compile(
    r"Standard_(B1ms|B2s|B(2|4|8|12|16|20)ms"
    r"|D(2|4|8|16|32|48|64)(s_v3|ds_v4)|D(2|4|8|16|32|48|64|96)(ds|ads)_v5|D(2|4|8|16|32|48|64|96)ads_v6|D(2|4|8|16|32|48|64|96|128|192)ds_v6"
    r"|E(2|4|8|16|32|48|64)(s_v3|ds_v4)|E20ds_v4|E(2|4|8|16|20|32|48|64|96)(ds|ads)_v[56]|E(128|192)ds_v6)"
)
STORAGE_GIB = (32, 64, 128, 256, 512, 1024, 2048, 4095, 4096, 8192, 16384, 32767)
"""Of a Premium SSD; registry.terraform.io hashicorp/azurerm postgresql_flexible_server, storage_mb."""
VERSIONS = ("11", "12", "13", "14", "15", "16", "17", "18")
SUBNET_PREFIX_MAX = 28
_LOGINS = (("passwordAuth", "Enabled"), ("activeDirectoryAuth", "Disabled"))


def _invalid(parameter: str) -> ArmError:
    return ArmError(400, "InvalidParameterValue", f"Invalid value given for parameter {parameter}. Specify a valid parameter value.")


def _check(change: Change) -> None:
    properties, before = change.properties, change.before
    if change.creating and _taken(change.cloud, change.name):
        raise ArmError(409, "ServerNameAlreadyExists", "Specified server name is already used.")
    size = _check_size(change)
    version = str(properties.get("version") or (before.properties["version"] if before else ""))
    if version not in VERSIONS or (before and int(version) < int(before.properties["version"])):
        raise _invalid("Version")
    _check_storage(change)
    _check_login(change)
    _check_network(change)
    mode = (properties.get("highAvailability") or {}).get("mode", "Disabled")
    if mode not in ("Disabled", "ZoneRedundant", "SameZone"):
        raise _invalid("HighAvailability")
    if mode != "Disabled" and size == "Burstable":
        raise ArmError(400, "HighAvailabilityNotSupported", "High availability is not supported for Burstable tier.")
    if mode == "ZoneRedundant" and not change.cloud.world.regions[change.location]["zones"]:
        raise ArmError(
            400,
            "ZoneRedundantHighAvailabilityNotSupported",
            f"{change.location} is a single availability zone. Zone redundant high availability is not supported in it.",
        )
    days = (properties.get("backup") or {}).get("backupRetentionDays", 7)
    if not isinstance(days, int) or not 7 <= days <= 35:
        raise _invalid("BackupRetentionDays")


def _check_size(change: Change) -> str:
    """The tier."""
    sku = change.body.get("sku") or {}
    name, tier = str(sku.get("name", "")), str(sku.get("tier", ""))
    if not SIZES.fullmatch(name):
        raise _invalid("SkuName")
    if tier != TIERS[name.removeprefix("Standard_")[0]]:
        raise _invalid("SkuTier")
    return tier


def _check_storage(change: Change) -> None:
    size = (change.properties.get("storage") or {}).get("storageSizeGB")
    if size not in STORAGE_GIB:
        raise _invalid("StorageSizeGB")
    if change.before and size < change.before.properties["storage"]["storageSizeGB"]:
        raise ArmError(400, "InvalidParameterValue", "The storage of a server can only be scaled up, not down.")


def _check_login(change: Change) -> None:
    login = change.properties.get("authConfig") or {}
    keyed, by_entra = (login.get(name, otherwise) for name, otherwise in _LOGINS)
    if "Enabled" not in (keyed, by_entra):
        raise _invalid("AuthConfig")
    if by_entra == "Enabled" and str(login.get("tenantId", "")).lower() != change.cloud.world.tenant.id.lower():
        raise _invalid("TenantId")
    if change.creating and keyed == "Enabled":
        for name in ("administratorLogin", "administratorLoginPassword"):
            if not change.properties.get(name):
                raise _invalid(name[0].upper() + name[1:])


def _check_network(change: Change) -> None:
    network = change.properties.get("network") or {}
    subnet_id, zone_id = (str(network.get(name) or "") for name in ("delegatedSubnetResourceId", "privateDnsZoneArmResourceId"))
    if change.before:
        old = change.before.properties["network"].get("delegatedSubnetResourceId", "")
        if subnet_id.lower() != str(old).lower():
            raise ArmError(400, "InvalidParameterValue", "A server does not move in or out of a virtual network.")
    if not subnet_id:
        return
    if network.get("publicNetworkAccess", "Disabled") != "Disabled":
        raise _invalid("PublicNetworkAccess")
    subnet = change.cloud.find(subnet_id)
    vnet = change.cloud.find(subnet_id.rpartition("/subnets/")[0]) if subnet else None
    if subnet is None or vnet is None or vnet.location != change.location:
        raise _invalid("DelegatedSubnetResourceId")
    delegated = [str((d.get("properties") or {}).get("serviceName", "")) for d in subnet.properties.get("delegations") or []]
    if [name.lower() for name in delegated] != [SERVER.lower()]:
        raise ArmError(400, "InvalidSubnetDelegation", f"The subnet '{subnet.name}' is not delegated to {SERVER}.")
    prefix = ipaddress.ip_network(str(subnet.properties.get("addressPrefix")))
    if prefix.prefixlen > SUBNET_PREFIX_MAX:
        raise ArmError(400, "InvalidSubnetSize", f"The subnet '{subnet.name}' is smaller than /{SUBNET_PREFIX_MAX}.")
    zone = change.cloud.find(zone_id) if zone_id else None
    if zone is None or zone.type.lower() != "microsoft.network/privatednszones":
        raise _invalid("PrivateDnsZoneArmResourceId")
    if not zone.name.lower().endswith(_ZONE) or zone.name.lower() == f"{change.name.lower()}{_ZONE}":
        raise ArmError(
            400, "PrivateDnsZoneNameNotValid", f"The private DNS zone name '{zone.name}' is not valid for server '{change.name}'."
        )


def _taken(cloud: Cloud, name: str) -> bool:
    return name.lower() in cloud.world.taken_names["servers"] or any(r.name.lower() == name.lower() for r in cloud.store.of_type(SERVER))


def _fill(change: Change) -> None:
    properties = change.properties
    properties.pop("administratorLoginPassword", None)
    properties.pop("createMode", None)
    network = properties.setdefault("network", {})
    network["publicNetworkAccess"] = "Disabled" if network.get("delegatedSubnetResourceId") else "Enabled"
    # A zone's record of the server is in the zone that it was given.
    properties |= {
        "fullyQualifiedDomainName": f"{change.name}{_ZONE}",
        "state": "Ready",
        "minorVersion": "0",
        "replicationRole": "Primary",
        "replicaCapacity": 5,
    }
    properties.setdefault("availabilityZone", "1")
    properties.setdefault("authConfig", {"passwordAuth": "Enabled", "activeDirectoryAuth": "Disabled"})
    storage = properties["storage"]
    storage.setdefault("autoGrow", "Disabled")
    storage.setdefault("type", "")
    backup = properties.setdefault("backup", {})
    backup.setdefault("backupRetentionDays", 7)
    backup.setdefault("geoRedundantBackup", "Disabled")
    available = properties.setdefault("highAvailability", {"mode": "Disabled"})
    available["state"] = "NotEnabled" if available.get("mode", "Disabled") == "Disabled" else "Healthy"


def _check_database(change: Change) -> None:
    if change.before and change.before.properties.get("charset") != change.properties.get("charset", "UTF8"):
        raise _invalid("Charset")


def _fill_database(change: Change) -> None:
    change.properties.setdefault("charset", "UTF8")
    change.properties.setdefault("collation", "en_US.utf8")


def _written(change: Change) -> None:
    if change.creating:
        postgresql_settings.come(change)


def _check_administrator(change: Change) -> None:
    server = change.cloud.find(change.address.id.rpartition("/administrators/")[0])
    login = (server.properties.get("authConfig") or {}) if server else {}
    if login.get("activeDirectoryAuth") != "Enabled":
        raise ArmError(400, "AadAuthNotEnabled", "Microsoft Entra authentication is not enabled for the server.")
    if change.properties.get("principalType") not in ("User", "Group", "ServicePrincipal"):
        raise _invalid("PrincipalType")
    if not change.properties.get("principalName"):
        raise _invalid("PrincipalName")


def _check_rule(change: Change) -> None:
    server = change.cloud.find(change.address.id.rpartition("/firewallRules/")[0])
    if server and server.properties["network"].get("delegatedSubnetResourceId"):
        raise ArmError(
            400, "FirewallRulesNotAllowedOnPrivateAccessServer", "Firewall rules are not allowed on a server with private access."
        )
    try:
        first, last = (ipaddress.IPv4Address(str(change.properties.get(name))) for name in ("startIpAddress", "endIpAddress"))
    except ValueError:
        raise _invalid("StartIpAddress") from None
    if first > last:
        raise _invalid("EndIpAddress")


def _available(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    name = str((request.json or {}).get("name", ""))
    found = _NAME.available(name, _taken(cloud, name), "Specified server name is already used.")
    return {"name": name, "type": SERVER, "message": "", **found}


_PERFORMANCE = (
    *(
        ("P4", 32, 120),
        ("P6", 64, 240),
        ("P10", 128, 500),
        ("P15", 256, 1100),
        ("P20", 512, 2300),
        ("P30", 1024, 5000),
        ("P40", 2048, 7500),
    ),
    *(("P50", 4095, 7500), ("P50", 4096, 7500), ("P60", 8192, 16000), ("P70", 16384, 18000), ("P80", 32767, 20000)),
)
"""(performance tier, GiB, IOPS) of a Premium SSD; Microsoft Learn, "Premium SSD", read 2026-11-30."""


def _sizes(letter: str) -> list[tuple[str, int]]:
    """(size, vCPUs) of a tier, by the first letter."""
    endings = ("ms", "s", "s_v3", "ds_v4", "ds_v5", "ads_v5", "ds_v6", "ads_v6")
    named = [
        (f"Standard_{letter}{count}{ending}", count) for ending in endings for count in (1, 2, 4, 8, 12, 16, 20, 32, 48, 64, 96, 128, 192)
    ]
    return [(name, count) for name, count in named if SIZES.fullmatch(name)]


def _capabilities(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    """Azure REST, Capabilities By Location - List, and By Server, 2025-08-01."""
    server = cloud.find(words["server"]) if words.get("server") else None
    if words.get("server") and server is None:
        raise resource_not_found(words["server"].rpartition("/providers/")[2], words["group"])
    zones = (
        [str(zone) for zone in (1, 2, 3)] if cloud.world.regions[server.location if server else words["location"].lower()]["zones"] else []
    )
    levels = [{"name": name, "iops": iops, "status": "Available"} for name, _, iops in dict.fromkeys((n, 0, i) for n, _, i in _PERFORMANCE)]
    disks = [
        {"storageSizeMb": gib * 1024, "supportedIops": iops, "defaultIopsTier": name, "supportedIopsTiers": levels, "status": "Available"}
        for name, gib, iops in _PERFORMANCE
    ]
    editions = [
        {
            "name": tier,
            "status": "Available",
            "defaultSkuName": _sizes(letter)[1][0],
            "supportedStorageEditions": [{"name": "ManagedDisk", "defaultStorageSizeMb": 32768, "supportedStorageMb": disks}],
            "supportedServerSkus": [
                {
                    "name": name,
                    "vCores": count,
                    "supportedZones": zones,
                    "supportedHaMode": [] if letter == "B" else ["SameZone", "ZoneRedundant"],
                }
                for name, count in _sizes(letter)
            ],
        }
        for letter, tier in TIERS.items()
    ]
    features = {"OfferRestricted": False, "ZoneRedundantHa": bool(zones), "GeoBackup": True, "OnlineResize": True, "IndexTuning": False}
    versions = [{"name": one, "supportedVersionsToUpgrade": list(VERSIONS[at + 1 :])} for at, one in enumerate(VERSIONS)]
    return {
        "value": [
            {
                "name": "FlexibleServerCapabilities",
                "supportedServerEditions": editions,
                "supportedServerVersions": versions,
                "supportedFeatures": [{"name": name, "status": "Enabled" if on else "Disabled"} for name, on in features.items()],
            }
        ]
    }


# azure-mgmt-postgresqlflexibleservers takes 202 alone, of writes that make and of those that change.
KINDS = (
    Kind(SERVER, name=_NAME, stamped=True, state=False, created=202, updated=202, check=_check, fill=_fill, written=_written),
    Kind(
        f"{SERVER}/databases",
        located=False,
        state=False,
        stamped=True,
        created=202,
        updated=202,
        check=_check_database,
        fill=_fill_database,
    ),
    postgresql_settings.kind(SERVER),
    Kind(f"{SERVER}/firewallRules", located=False, state=False, created=202, updated=202, name=_RULE_NAME, check=_check_rule),
    Kind(f"{SERVER}/administrators", located=False, state=False, created=202, updated=202, check=_check_administrator),
)

ROUTES = (
    ("POST", r"{subscription}/providers/Microsoft\.DBforPostgreSQL/checkNameAvailability", _available),
    ("POST", r"{subscription}/providers/Microsoft\.DBforPostgreSQL/{location}/checkNameAvailability", _available),
    ("GET", r"{subscription}/providers/Microsoft\.DBforPostgreSQL/{location}/capabilities", _capabilities),
    (
        "GET",
        rf"(?P<server>{{subscription}}/resourceGroups/(?P<group>[^/]+)/providers/{re.escape(SERVER)}/[^/]+)/capabilities",
        _capabilities,
    ),
)
