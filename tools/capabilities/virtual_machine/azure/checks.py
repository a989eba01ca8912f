"""Reviews virtual machines in Azure: what every Azure part is held to, and their own size, disk, zones and doors."""

from __future__ import annotations

from tools.capabilities import Reviewed
from tools.capabilities.virtual_machine.azure.choices import IMAGE_GIB
from tools.capabilities.virtual_machine.azure.facts import KEYS
from tools.rules.azure import sizes as azure_sizes
from tools.rules.azure.checks import Checks
from tools.rules.azure.sizes import Wanted
from tools.rules.names import regions as azure_regions
from tools.values.manifest import Part
from tools.values.review import Severity
from tools.values.situation import Situation


def review(part: Part, situation: Situation) -> Reviewed:
    variables, needs = part.variables, part.needs
    machines, size = variables["machines"], azure_sizes.size_named(str(variables["size"]))
    wanted = (Wanted(size.name, len(machines)),) if size else ()
    checks = Checks(part, situation, wanted=wanted, spaces=(variables["address_space"],))
    small = size is None or size.cpu_count < needs.whole("cpu_count") or size.memory_gib * 1024 < needs.whole("memory_mib")
    text = f"{variables['size']} has less than what was asked for, or is no size that Berth has figures of." if small else ""
    checks.check("size.enough", str(variables["size"]), text, "Leave the size open.")
    text = f"{variables['disk_gib']} GiB are less than the image has." if variables["disk_gib"] < IMAGE_GIB else ""
    checks.check("disk.size", "", text, f"Say at least {IMAGE_GIB} GiB.")
    wrong = [key for key in variables["public_keys"] if key.split(" ")[0] not in KEYS]
    text = "There is a key that Azure does not take, or none." if wrong or not variables["public_keys"] else ""
    checks.check("keys", "", text, "Paste an RSA or ED25519 key.")
    zones = {one["zone"] for one in machines.values()}
    bare = bool(zones - {""}) and not azure_regions.has_zones(checks.cloud.region)
    checks.check("zones", "", f"{checks.cloud.region} has no zones." if bare else "", "Say another region.")
    alone = needs.text("environment") == "production" and len(zones - {""}) < 2
    text = "All of it fails with one zone, and it is for production." if alone else ""
    checks.check("zones.spread", "", text, "Ask for two machines, in a region with zones, if it must not.", Severity.WARNING)
    way = "from the site's hub" if variables["hub_id"] else "from a network that you peer with theirs"
    checks.note(
        "reach",
        "",
        f"The machines have no public address: they are reached {way}, or line by line through Azure's run command.",
        "Name a hub in the site's file to have them joined to it.",
    )
    checks.note(
        "base",
        "",
        "They get Debian 12 and your keys, and not what Berth sets up on a cluster's machines.",
        "Set them up by what you use, or ask for them on proxmox.",
    )
    return checks.done()
