"""Reviews an Azure OpenAI part: where it goes, its names, whether region and quota still carry each deployment, and that it stays closed."""

from __future__ import annotations

from tools.capabilities.azure_openai.choices import room, versions
from tools.rules.azure import names as azure_names
from tools.rules.azure import placing as azure_placing
from tools.rules.azure.placing import Checked, subscription, text
from tools.values.manifest import Part
from tools.values.review import Finding, Severity
from tools.values.site import Reserved, Site
from tools.values.snapshot import Snapshot, SubscriptionSnapshot

ERROR, NOTE = Severity.ERROR, Severity.NOTE
ALLOWED = {"global": ("GlobalStandard", "DataZoneStandard", "Standard"), "zone": ("DataZoneStandard", "Standard"), "region": ("Standard",)}  # fmt: skip


def review(part: Part, snapshot: Snapshot, site: Site, reserved: Reserved) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    seen = subscription(snapshot)
    found = [*azure_placing.common_checks(part, seen), *_name(part, seen)]
    for one in part.variables["deployments"]:
        found += _deployment(part, one, seen)
    found.append(
        (
            "network.reach",
            NOTE,
            (
                "The account has no public door: it is reached from its own network, or from one that is peered with it or joined by a VPN.",
                "Peer your network with the account's, and link its private DNS zone.",
            ),
        )
    )
    return azure_placing.judged(part, found)


def _name(part: Part, seen: SubscriptionSnapshot) -> list[Checked]:
    name = str(part.variables["account_name"])
    problem = azure_names.name_problem("openai", name)
    key = azure_names.check_key("openai", name).lower()
    taken = not azure_placing.owns(part) and key in {n.lower() for n in seen.names_taken}
    return [
        ("name.account", ERROR, (problem, "Say another name.") if problem else None),
        (
            "name.free",
            ERROR,
            (f"{name} is somebody's already; an account that was removed holds its name for 48 hours.", "Say another name by `called …`.")
            if taken
            else None,
        ),
    ]  # fmt: skip


def _deployment(part: Part, one: dict[str, object], seen: SubscriptionSnapshot) -> list[Checked]:
    region = str(part.variables["location"])
    model, kind, version = str(one["model"]), str(one["sku"]), str(one["version"])
    capacity = float(str(one["capacity_thousands"]))
    offered = versions(model, kind, region, seen)
    read = any(row.startswith(f"{region}/") for row in seen.models)
    quota = room(model, kind, region, seen)
    full = quota is not None and not azure_placing.owns(part) and quota.total + capacity > quota.limit
    outside = kind not in ALLOWED[text(part.needs, "residency", "global")]
    left = f"{quota.limit - quota.total:g} of {quota.limit:g}" if quota else ""
    return [
        (
            "model.offered",
            ERROR,
            (f"{region} does not offer {model} {version} as {kind}.", "Say another model or region.")
            if read and version not in offered
            else None,
        ),
        (
            "quota.tokens",
            ERROR,
            (f"{model} as {kind} wants {capacity:g} thousand tokens a minute, and {left} are left.", "Ask for fewer.") if full else None,
        ),
        (
            "quota.seen",
            NOTE,
            (f"The quota of {model} as {kind} could not be seen, so it was not checked.", "Look under Quotas in the portal.")
            if quota is None
            else None,
        ),
        (
            "residency",
            ERROR,
            (f"{kind} works on prompts outside of what was allowed.", "Compose the manifest again.") if outside else None,
        ),
    ]  # fmt: skip
