"""Reviews a data workspace: region, sizes, quota, names and addresses as every Azure part, and its own budget and closed doors."""

from __future__ import annotations

from tools.capabilities.data_workspace.choices import GLOBAL
from tools.capabilities.data_workspace.design import Choice, Design, shipped_prices
from tools.rules.azure.review import Checked, Checks, common, subscription
from tools.rules.azure.sizes import Wanted
from tools.values.manifest import Part
from tools.values.review import Severity
from tools.values.site import Reserved, Site
from tools.values.snapshot import Snapshot

SERVICES, PODS = "172.29.0.0/16", "172.30.0.0/15"
"""The module's defaults."""
KINDS = {
    "cluster": "cluster",
    "network": "network",
    "logs": "logs",
    "resource_group": "resource_group",
    **{kind: kind for kind in GLOBAL},
}


def review(part: Part, snapshot: Snapshot, site: Site, reserved: Reserved) -> Checked:
    checks = Checks(part)
    variables = part.variables
    pools = variables["pools"]
    # A node that is replaced needs room beside the old one.
    wanted = [Wanted(p["vm_size"], p["max_count"] + (p.get("mode") == "System"), bool(p.get("spot"))) for p in pools]
    names = {kind: (variables["names"][name],) for name, kind in KINDS.items()}
    spaces = (variables["address_space"], SERVICES, PODS)
    common(checks, subscription(snapshot), reserved, wanted=wanted, names=names, spaces=spaces)
    _budget(checks, part)
    _doors(checks, part)
    return checks.done()


def _budget(checks: Checks, part: Part) -> None:
    budget = part.needs.field("budget_monthly")
    if budget is None:
        return
    gpu = next((p["vm_size"] for p in part.variables["pools"] if p.get("gpu")), "")
    spot = any(p.get("spot") for p in part.variables["pools"])
    cost = Design(part.needs, Choice(gpu=gpu, path=part.variables["storage_path"], spot=spot)).monthly(shipped_prices())
    over = isinstance(budget.value, int | float) and cost > budget.value
    trouble = f"It costs {cost:,.0f} USD a month, and the budget is {budget.value:,.0f}." if over else ""
    checks.check("budget", part.name, trouble, "Raise the budget, or ask for less.")


def _doors(checks: Checks, part: Part) -> None:
    wide = [one for one in part.variables["api_ranges"] if one.endswith("/0")]
    trouble = f"The Kubernetes API would be open to {', '.join(wide)}." if wide else ""
    checks.check("api.closed", part.variables["names"]["cluster"], trouble, "Name your own addresses, or none.")
    private = not part.variables["api_ranges"]
    note = "The Kubernetes API is private: reach it from the network, or by `az aks command invoke`." if private else ""
    checks.check("api.reach", part.name, note, "Say from which addresses it is to be reached, such as `from addresses 198.51.100.0/24`.",
                 Severity.NOTE)  # fmt: skip
    told = "" if part.variables["alert_email"] else "Alerts show in the portal, and nobody is told of them."
    checks.check("alerts.told", part.name, told, "Say whom to tell, such as `alerts to ml-team@example.org`.", Severity.NOTE)
