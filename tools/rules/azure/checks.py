"""Checks that every Azure part is held to, from the manifest and a snapshot alone. What is the capability's own stands in its checks.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_network

from tools.rules.azure import names as azure_names
from tools.rules.azure import ranges, rights
from tools.rules.azure import sizes as azure_sizes
from tools.rules.azure.names import RULES
from tools.rules.azure.placing import GROUP_FACTS, region_problem
from tools.rules.azure.sizes import Claim
from tools.rules.plans import pricing
from tools.values.manifest import Cloud, Part
from tools.values.review import Finding, Severity, fault
from tools.values.situation import Situation

TAGS_WANTED = ("owner", "environment")
COUNTED = ("microsoft.containerservice/managedclusters:", "microsoft.databricks/workspaces:", "microsoft.compute/virtualmachines:")
"""What has machines; once it exists, they are counted as in use."""


def cloud_of(part: Part) -> Cloud:
    assert part.cloud is not None, "a part on Azure says where it lies"
    return part.cloud


def owned(part: Part) -> frozenset[str]:
    """Names of what the part has made already, in small letters: `microsoft.keyvault/vaults:kv-x`."""
    return frozenset(map(_typed, part.owned))


def _typed(id_: str) -> str:
    steps = id_.lower().strip("/").split("/")
    if len(steps) == 4:
        return f"microsoft.resources/resourcegroups:{steps[3]}"
    return f"{steps[-3]}/{steps[-2]}:{steps[-1]}" if len(steps) == 8 else f"{'/'.join(steps[5:-1])}:{steps[-1]}"


class Checks:
    """Gathers what does not hold and what does, check by check. Made with those of every Azure part; a capability adds its own.

    `wanted` are its machines at the most, `spaces` its address spaces, `kept` ranges that its services keep besides Azure itself.
    """

    def __init__(
        self, part: Part, situation: Situation, *, wanted: Iterable[Claim] = (), spaces: Sequence[str] = (), kept: Sequence[str] = ()
    ) -> None:
        self.part, self.cloud = part, cloud_of(part)
        self.situation, self.seen = situation, situation.subscription
        self.findings: list[Finding] = []
        self.passed: list[str] = []
        self._place()
        self._names()
        self._sizes(tuple(wanted))
        self._spaces(spaces, (*ranges.AZURE, *kept))
        self._joined()
        self._budget()
        self._group()
        self._rights()

    def check(self, check: str, subject: str, trouble: str, remedy: str, severity: Severity = Severity.ERROR) -> None:
        """`trouble` is empty when it holds; `subject` is the part itself when it is empty."""
        subject = subject or self.part.label
        if trouble:
            found = fault("text", detail=trouble, remedy=remedy)
            self.findings.append(found.finding(check, self.part.label, subject, severity))
        else:
            self.passed.append(f"{check}:{self.part.label}:{subject}")

    def note(self, check: str, subject: str, text: str, remedy: str) -> None:
        """What is to be known before it is approved, and stops nothing."""
        self.check(check, subject, text, remedy, Severity.NOTE)

    def told_of_alerts(self) -> None:
        text = "" if self.part.variables.get("alert_email") else "Alerts show in the portal, and nobody is told of them."
        self.note("alerts", "", text, "Say whom to tell, such as `alerts to ml-team@example.org`.")

    def done(self) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
        return tuple(self.findings), tuple(self.passed)

    def _place(self) -> None:
        region = self.cloud.region
        self.check("region", region, region_problem(region, self.seen), "Say a region that the subscription has.")
        other = self.cloud.subscription_id != self.seen.subscription_id
        text = "The manifest is for another subscription than the one that was looked at."
        self.check("subscription", self.seen.subscription_id, text if other else "", "Say `plan again`.")
        tags = dict(self.cloud.tags)
        lacking = [name for name in TAGS_WANTED if not tags.get(name)]
        text = f"The tags lack {', '.join(lacking)}." if lacking else ""
        self.check("tags", "", text, "Say whose it is, and for which environment.")
        self.check("tags.valid", "", azure_names.tags_problem(self.cloud.tags), "Correct `tags` of the environment in the site's file.")

    def _names(self) -> None:
        groups = {azure_names.check_key("resource_group", g.name).lower() for g in self.seen.groups}
        used = ({name.lower() for name in self.seen.names_taken} | groups) - owned(self.part)
        promised = {name.lower() for name in self.situation.reserved.names}
        for key, name in self.cloud.names:
            kind = azure_names.kind_of(key)
            rule = RULES[kind]
            self.check("name.valid", name, azure_names.name_problem(kind, name), "Say another name.")
            text = ""
            if azure_names.check_key(kind, name).lower() in used:
                text = f"The name {name} of the {rule.noun} is in use."
            elif rule.scope in ("global", "subscription") and name.lower() in promised:
                text = f"The name {name} is promised to a plan that is not carried out yet."
            self.check("name.free", name, text, "Say `plan again`, or another name.")

    def _sizes(self, wanted: tuple[Claim, ...]) -> None:
        region, seen = self.cloud.region, self.seen
        for size in dict.fromkeys(w.size for w in wanted):
            known = azure_sizes.sizes().get(size)
            gone = azure_sizes.replacement(known) if known and known.retired else ""
            self.check("size.current", size, gone, "Leave the size open.")
            problem = azure_sizes.sku_problem(size, seen, region)
            self.check("size.offered", size, f"{problem}." if problem else "", "Say another region, or another kind of machine.")
        if any(name.startswith(COUNTED) for name in owned(self.part)):
            return
        for one in azure_sizes.quota_sums(wanted, seen, region):
            text = "" if one.holds else f"The quota does not carry it: {one.spelt}."
            self.check("quota", one.subject, text, "Ask for less, for more quota in the portal (Quotas), or say another region.")
        for family in azure_sizes.unseen_families(wanted, seen, region):
            text = f"The quota of {family} in {region} could not be seen."
            self.check("quota.seen", family, text, "Look at it in the portal (Quotas).", Severity.WARNING)

    def _spaces(self, spaces: Sequence[str], kept: Sequence[str]) -> None:
        networks = [ip_network(space) for space in spaces]
        clash = next((f"{a} and {b} overlap." for n, a in enumerate(networks) for b in networks[n + 1 :] if a.overlaps(b)), "")
        self.check("addresses", "", clash, "Say `plan again`.")
        used = next((f"{space} overlaps {met}, which Azure keeps to itself." for space in spaces if (met := ranges.met(space, kept))), "")
        self.check("addresses.reserved", "", used, "Say `plan again`, or give the site other ranges.")

    def _joined(self) -> None:
        """The range that it takes is free, and what it is to be joined to is there."""
        space, mine = self.part.variables.get("address_space"), {one.lower() for one in self.part.owned}
        for one in self.seen.networks if space else ():
            own = one.id.lower() in mine
            met = "" if own else ranges.met(str(space), one.ranges)
            text = f"{space} meets {met} of {one.id.rpartition('/')[2]}, so the two could never be joined." if met else ""
            self.check("addresses.free", one.id.rpartition("/")[2], text, "Ask again: another range is free.")
        hub = str(self.part.variables.get("hub_id") or "")
        here = hub.lower().startswith(f"/subscriptions/{self.seen.subscription_id}/".lower())
        gone = here and hub.lower() not in {one.id.lower() for one in self.seen.networks}
        text = f"The site's hub {hub.rpartition('/')[2]} is not in this subscription." if gone else ""
        self.check("hub.there", hub.rpartition("/")[2], text, "Correct `network.hub` in the site's file.")

    def _budget(self) -> None:
        budget = self.part.needs.number("budget_monthly")
        cost = pricing.monthly(self.part.resources, self.cloud.region, self.situation.prices)
        over = bool(budget) and cost > budget
        text = f"It costs {cost:,.0f} USD a month, and the budget is {budget:,.0f}." if over else ""
        self.check("budget", "", text, "Raise the budget, or ask for less.")

    def _group(self) -> None:
        """Azure gives a role to a group that nobody has, too."""
        for name in GROUP_FACTS:
            group = self.part.needs.text(name)
            gone = group.lower() in {one.lower() for one in self.seen.groups_gone}
            text = f"The directory has no group with the object id {group}." if group and gone else ""
            self.check("group.there", group, text, "`az ad group show --group NAME --query id` tells it by its name.")
            unseen = group.lower() in {one.lower() for one in self.seen.groups_unseen}
            text = f"Whether the directory has a group {group} was not seen: this login may not look it up." if group and unseen else ""
            self.note("group.seen", group, text, f"`az ad group show --group {group}` tells it to somebody who may.")

    def _rights(self) -> None:
        """Before anything is planned: a run that stops half-way for want of a right is removed by hand."""
        lacking = rights.missing((self.part.module,), self.seen)
        text = f"Azure does not let this login do all of it: {rights.spell(lacking)}." if lacking else ""
        role = "`berth doctor` prints the role that it needs. " if lacking and rights.ROLE_NAME in rights.grant(lacking, self.seen) else ""
        self.check("rights", "", text, f"{role}Whoever may, grants it with\n{rights.grant(lacking, self.seen)}")
