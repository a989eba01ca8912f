"""Reviews an Azure OpenAI part: what every Azure part is held to, and whether region, quota and residency carry each deployment."""

from __future__ import annotations

from datetime import date, timedelta

from tools.capabilities import Reviewed
from tools.capabilities.azure_openai.choices import KINDS, ends_on, room, versions
from tools.rules.azure.checks import Checks
from tools.values.manifest import Part
from tools.values.review import Severity
from tools.values.situation import Situation
from tools.values.value import Json

END_SOON = timedelta(days=90)
"""Azure tells of an end at least 60 days before; Microsoft Foundry Models lifecycle and support policy, read 2026-11-29."""


def review(part: Part, situation: Situation) -> Reviewed:
    checks = Checks(part, situation)
    for one in part.variables["deployments"]:
        _deployment(checks, one)
    hub = str(part.variables.get("hub_id") or "").rpartition("/")[2]
    ways = f"{hub}, which its network is peered with" if hub else "its own network, or from one that is peered with it or joined by a VPN"
    move = "Call it from there." if hub else "Peer your network with the account's, and link its private DNS zone."
    checks.note("reach", "", f"The account has no public door: it is reached from {ways}.", move)
    return checks.done()


def _deployment(checks: Checks, one: dict[str, Json]) -> None:
    region, seen = checks.cloud.region, checks.seen
    model, kind, version = str(one["model"]), str(one["sku"]), str(one["version"])
    capacity = float(one["capacity_thousands"])
    subject = f"{model} as {kind}"
    read = any(row.startswith(f"{region}/") for row in seen.models)
    gone = read and version not in versions(model, kind, region, seen)
    text = f"{region} does not offer {model} {version} as {kind}." if gone else ""
    checks.check("model.offered", subject, text, "Say another model or region.")
    end = ends_on(region, model, version, kind, seen)
    soon = bool(end) and date.fromisoformat(end) - seen.taken_at.date() < END_SOON
    text = f"Azure ends {model} {version} on {end}: nothing answers there from then on." if soon else ""
    checks.check("model.ends", subject, text, "Say another model, or plan the change to its successor now.", Severity.WARNING)
    outside = kind not in KINDS[checks.part.needs.text("residency", "global")]
    text = f"{kind} works on prompts outside of what was allowed." if outside else ""
    checks.check("residency", subject, text, "Say `plan again`.")
    quota = room(model, kind, region, seen)
    text = f"The quota of {subject} in {region} could not be seen." if quota is None else ""
    checks.check("quota.seen", subject, text, "Look at it in the portal (Quotas).", Severity.WARNING)
    if quota is not None and not checks.part.owned:
        text = f"The quota does not carry it: {capacity:g} wanted, and {quota.spelt}." if quota.total + capacity > quota.limit else ""
        checks.check("quota", quota.subject, text, "Ask for less, for more quota in the portal (Quotas), or say another region.")
