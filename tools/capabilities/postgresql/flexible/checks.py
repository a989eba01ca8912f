"""Reviews a flexible server: what every Azure part is held to, and its own size, storage, zones and doors."""

from __future__ import annotations

from tools.capabilities import Reviewed
from tools.capabilities.postgresql.flexible.choices import ALONE, STANDBY, SUBNET_PREFIX, THROTTLED, TIERS
from tools.capabilities.postgresql.flexible.facts import STORAGE_GIB
from tools.rules.azure import placing
from tools.rules.azure.checks import Checks
from tools.rules.names import regions as azure_regions
from tools.rules.sizing import sizing
from tools.values.manifest import Part
from tools.values.review import Severity
from tools.values.situation import Situation


def review(part: Part, situation: Situation) -> Reviewed:
    variables = part.variables
    checks = Checks(part, situation, spaces=(variables["address_space"],))
    space = str(variables["address_space"])
    small = int(space.rpartition("/")[2]) > SUBNET_PREFIX
    text = f"{space} is smaller than /{SUBNET_PREFIX}, which a flexible server needs." if small else ""
    checks.check("addresses.enough", "", text, "Say `plan again`.")
    _size(checks)
    wrong = variables["storage_gib"] not in STORAGE_GIB
    text = f"{variables['storage_gib']} GiB is no size of a Premium SSD." if wrong else ""
    checks.check("storage.size", "", text, f"Take one of {', '.join(map(str, STORAGE_GIB))} GiB.")
    hub = str(variables.get("hub_id") or "").rpartition("/")[2]
    way = f"from {hub}, which its network is peered with" if hub else "from its own network, or from one that is peered with it"
    checks.note(
        "reach",
        "",
        f"The server has no public door: it is reached {way}.",
        f"Connect from {hub}, or from what is joined to it." if hub else "Peer your network with the server's, and link its DNS zone.",
    )
    text = "" if variables["administrators"] else "Nobody can log in to it before an administrator is named."
    checks.note("administrators", "", text, "Say `administrators` and the object id of an Entra group, or name one afterwards.")
    checks.told_of_alerts()
    text = "Berth does not read the subscription's quota of PostgreSQL servers, nor which sizes the region has free."
    checks.note("quota.seen", "", text, "Azure says at the beginning of the work if it has none.")
    return checks.done()


def _size(checks: Checks) -> None:
    variables, needs = checks.part.variables, checks.part.needs
    sku, users = str(variables["sku"]["name"]).removeprefix("Standard_"), needs.whole("concurrent_users")
    size = next((one for one in sizing.postgresql_sizes() if one.sku == sku), None)
    text = "" if size and TIERS[size.series] == variables["sku"]["tier"] else f"{sku} is no size that Berth has figures of."
    checks.check("size.current", sku, text, "Leave the size open.")
    if size is None:
        return
    few = size.connections_user_max < users
    text = f"{sku} carries {size.connections_user_max:,} connections, and {users:,} were asked for." if few else ""
    checks.check("size.connections", sku, text, "Leave the size open.")
    burstable = size.series == "burstable"
    text = f"{sku} is burstable: {THROTTLED}." if burstable and needs.text("environment") == "production" else ""
    checks.check("size.production", sku, text, "Take a general purpose size.", Severity.WARNING)
    region, standby = checks.cloud.region, variables["standby"]
    alone = burstable or not azure_regions.has_zones(region)
    text = f"{sku} in {region} cannot have a standby in another zone." if standby == STANDBY and alone else ""
    checks.check("zones", sku, text, "Take a general purpose size in a region with zones, or no standby.")
    single = standby == ALONE and placing.must_survive(needs)
    text = "It has no standby in another zone, and is for production, or to be highly available." if single else ""
    checks.check("zones.standby", sku, text, "Pick a size with a standby, if it must not fail with a zone.", Severity.WARNING)
