"""Reviews machines in Azure, whatever runs on them: what every Azure part is held to, and their own size, disk, zones and doors."""

from __future__ import annotations

from datetime import timedelta

from tools.rules.azure import sizes as azure_sizes
from tools.rules.azure.checks import Checks
from tools.rules.azure.images import of_reference
from tools.rules.azure.machine_facts import KEYS
from tools.rules.azure.sizes import Claim
from tools.values.manifest import Part
from tools.values.review import Finding, Severity
from tools.values.situation import Situation

SOON = timedelta(days=365)
"""A machine is kept longer than that, as a rule: an assumption."""


def review(part: Part, situation: Situation) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """(findings, names of the checks that hold)"""
    variables, needs = part.variables, part.needs
    machines, size = variables["machines"], azure_sizes.size_named(str(variables["size"]))
    wanted = (Claim(size.name, len(machines)),) if size else ()
    checks = Checks(part, situation, wanted=wanted, spaces=(variables["address_space"],))
    small = size is None or size.cpu_count < needs.whole("cpu_count") or size.memory_gib * 1024 < needs.whole("memory_mib")
    text = f"{variables['size']} has less than what was asked for, or is no size that Berth has figures of." if small else ""
    checks.check("size.enough", str(variables["size"]), text, "Leave the size open.")
    image = of_reference(variables["marketplace_image"])
    text = "" if image else "Its image is none that Berth has facts of."
    checks.check("image", "", text, "Leave the system open.")
    least_gib = image.disk_gib if image else 0
    text = f"{variables['disk_gib']} GiB are less than the image has." if variables["disk_gib"] < least_gib else ""
    checks.check("disk.size", "", text, f"Say at least {least_gib} GiB.")
    soon = image is not None and image.ends < situation.subscription.taken_at.date() + SOON
    text = f"{image.spoken} has updates until {image.ends}, and not longer." if image and soon else ""
    checks.check("image.current", "", text, "Say a later version.", Severity.WARNING)
    wrong = [key for key in variables["public_keys"] if key.split(" ")[0] not in KEYS]
    text = "There is a key that Azure does not take, or none." if wrong or not variables["public_keys"] else ""
    checks.check("keys", "", text, "Paste an RSA or ED25519 key.")
    zones = {one["zone"] for one in machines.values()}
    had = azure_sizes.zones(str(variables["size"]), checks.seen, checks.cloud.region)
    shut = sorted(zones - {""} - set(had)) if not part.owned else []
    text = f"{variables['size']} cannot be had in zone {', '.join(shut)} of {checks.cloud.region}." if shut else ""
    checks.check("zones", "", text, "Say `plan again`, or another region.")
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
    if not part.every_machine:
        checks.note(
            "base",
            "",
            "They get their system and your keys, and not what Berth sets up on a cluster's machines.",
            "Have `reached: true` written under `network` in the site's file, where Berth reaches what is peered with the hub.",
        )
    checks.told_of_alerts()
    lost = bool(part.every_machine) and not situation.site.environment(needs.text("environment")).network.is_reached
    text = "It is set up over SSH, and the site's file does not say any more that Berth reaches its machines." if lost else ""
    checks.check("reached", "", text, "Have `reached: true` written under `network` of the environment in the site's file.")
    return checks.done()
