"""What holds for every Kubernetes cluster that Azure runs, whatever is in it: who reaches its API, who administers it, and
which releases the region has."""

from __future__ import annotations

import ipaddress
import re

from tools.rules.azure import ranges
from tools.rules.azure.checks import Checks
from tools.rules.names import naming
from tools.rules.request.reading import Reading
from tools.values.review import Severity
from tools.values.snapshot import KubernetesVersion, SubscriptionSnapshot

POLICY = "Microsoft.PolicyInsights"
PUBLIC = "Name the public addresses of your office or VPN, such as `from addresses 198.51.100.0/24`, or none: it is private then."


def read_api_ranges(reading: Reading, fact: str = "api_ranges") -> None:
    """Public addresses that may reach the Kubernetes API, where any were said."""
    if fact not in reading.facts:
        return
    said = tuple(word.strip(",") for word in reading.facts[fact].value.split())
    wrong, private = [one for one in said if not _is_range(one)], [one for one in said if _is_private(one)]
    if wrong or not said:
        shown = naming.shorten(reading.facts[fact].value)
        reading.refuse(f"{shown} is no range of addresses. Say one such as 198.51.100.0/24, and never 0.0.0.0/0.", fact)
    elif private:
        shown = naming.shorten(", ".join(private))
        reading.refuse(
            f"{shown} cannot come in: the Kubernetes API sees public addresses only. "
            "Say the public addresses of your office or VPN, such as 198.51.100.0/24, or leave them out: the API is private then.",
            fact,
        )
    else:
        reading.said("api_ranges", said, fact=fact)


def _is_range(text: str) -> bool:
    try:
        return ipaddress.ip_network(text, strict=False).prefixlen >= 8
    except ValueError:
        return False


def _is_private(text: str) -> bool:
    return _is_range(text) and bool(ranges.met(text, ranges.PRIVATE))


def check_cluster(checks: Checks, nodes: int) -> None:
    """Addresses for every node's pods, and who reaches the API."""
    variables = checks.part.variables
    pods = str(variables.get("pod_cidr", ranges.PODS))
    text = f"{nodes} nodes are more than {pods} has addresses for: each takes a /24 of it." if nodes > ranges.nodes_in(pods) else ""
    checks.check("addresses.enough", "", text, "Ask for fewer workers, or give the pods a wider range.")
    let_in = variables["api_ranges"]
    wide = [one for one in let_in if one.endswith("/0")]
    text = f"The Kubernetes API would be open to {', '.join(wide)}." if wide else ""
    checks.check("exposure", "", text, "Name your own addresses, or none.")
    private = [one for one in let_in if ranges.met(one, ranges.PRIVATE)]
    text = f"{', '.join(private)} cannot come in: the Kubernetes API sees public addresses only." if private else ""
    checks.check("exposure.public", "", text, PUBLIC)
    text = "" if let_in else "The Kubernetes API is private: reach it from the network, or by `az aks command invoke`."
    checks.note("reach", "", text, "Say from which addresses it is to be reached, such as `from addresses 198.51.100.0/24`.")
    checks.told_of_alerts()
    # learn.microsoft.com, "Understand Azure Policy for Kubernetes clusters", read 2026-12-01; azapi registers what it makes, and no more.
    absent = POLICY in checks.seen.unregistered
    text = f"{POLICY} is not registered, so Azure's policies are not held inside the cluster." if absent else ""
    checks.check("policy.registered", POLICY, text, f"`az provider register --namespace {POLICY}`, at any time.", Severity.WARNING)


def releases(seen: SubscriptionSnapshot, region: str) -> tuple[KubernetesVersion, ...]:
    """Minor releases that a new cluster may have and that Azure supports without a contract, the oldest first."""
    open_ = (one for one in seen.kubernetes if one.region == region and one.is_supported and not one.is_preview)
    return tuple(sorted(open_, key=lambda one: number(one.version)))


def release_by_default(seen: SubscriptionSnapshot, region: str) -> str:
    """What Azure takes by itself; empty where it did not tell which releases there are."""
    known = releases(seen, region)
    return next((one.version for one in known if one.is_default), known[-1].version) if known else ""


def check_release(checks: Checks, release: str) -> None:
    known = [one.version for one in releases(checks.seen, checks.cloud.region)]
    gone = bool(known) and release not in known and not checks.part.owned
    text = f"{checks.cloud.region} does not have Kubernetes {release} with Azure's support." if gone else ""
    checks.check("release.offered", release, text, "Say `plan again`, or another release.")
    # Azure supports the newest three: learn.microsoft.com, "Supported Kubernetes versions in AKS", read 2026-12-01.
    last = bool(known) and release in known and release == known[0] and number(known[-1]) > number(release)
    text = f"Kubernetes {release} is the oldest that Azure supports, and goes when the next one comes." if last else ""
    checks.check(
        "release.current", release, text, f"Say a later one, such as `{known[-1]}`." if known else "Say a later one.", Severity.WARNING
    )


def number(release: str) -> tuple[int, ...]:
    """`1.34`, `v1.34.2`, `1.34.2+k3s1` → (1, 34)"""
    return tuple(int(word) for word in re.findall(r"\d+", release)[:2])
