"""Looks at an Azure subscription and says what was seen, when, and what could not be seen. Judging it belongs to tools.rules.

A refused list or a silent region is a ScanProblem in the snapshot; only a subscription that cannot be read at all is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from tools.clients.azure import Azure
from tools.clients.connections import AzureConnection
from tools.clients.together import Away, together
from tools.rules.azure import seeing as seeing_azure
from tools.rules.azure.names import GROUP
from tools.rules.names.scanned import Row, display
from tools.values.snapshot import Quota, ScanProblem, Sku, SubscriptionSnapshot
from tools.values.trouble import WorldProblem

REGIONS_MAX = 8
"""Looked at closely when none is named: five lists each, and each takes Azure a second or two."""
NAMES_MAX = 50
Read = Callable[[], list[Row]]


def scan(settings: AzureConnection, now: datetime, *, regions: Sequence[str] = (), names: Sequence[str] = ()) -> SubscriptionSnapshot:
    """Raises WorldProblem when nothing at all can be read."""
    return _Look(settings, now).subscription(regions, names)


def _groups(how: str, found: Mapping[str, Sequence[Row]]) -> tuple[str, ...]:
    """Entra groups that were looked up, by what came of it."""
    rows = (row for subject, rows in found.items() if subject.startswith("the group ") for row in rows)
    return tuple(str(row[how]) for row in rows if how in row)


class _Look:
    """One look at a subscription: gathers problems while the parts are read."""

    def __init__(self, settings: AzureConnection, now: datetime) -> None:
        self.now = now
        self.azure = Azure(settings)
        self.problems: list[ScanProblem] = []

    def subscription(self, wanted: Sequence[str], names: Sequence[str]) -> SubscriptionSnapshot:
        azure = self.azure
        azure.log_in()
        first = self._read(
            {
                "the subscription": lambda: [
                    azure.one("the subscription", lambda: azure.subscriptions.subscriptions.get(azure.subscription_id))
                ],
                "the locations": lambda: azure.every(
                    "the locations", lambda: azure.subscriptions.subscriptions.list_locations(azure.subscription_id)
                ),
                "the resource groups": lambda: azure.every("the resource groups", azure.resources.resource_groups.list),
                "the resources": lambda: azure.every("the resources", azure.resources.resources.list),
                "the security groups": lambda: azure.arm_rows("networkSecurityGroups", "Microsoft.Network"),
                "the networks": lambda: azure.arm_rows("virtualNetworks", "Microsoft.Network"),
                "the permissions": lambda: azure.arm_rows("permissions", "Microsoft.Authorization"),
                "the resource providers": lambda: azure.every("the resource providers", azure.resources.providers.list),
                "deleted vaults": lambda: azure.arm_rows("deletedVaults", "Microsoft.KeyVault"),
            }
        )
        about = (first["the subscription"] or [{}])[0]
        known = tuple(r for row in first["the locations"] if (r := seeing_azure.region(row)))
        groups = tuple(sorted(map(seeing_azure.resource, first["the resource groups"]), key=lambda g: g.id.lower()))
        resources = tuple(sorted(map(seeing_azure.resource, first["the resources"]), key=lambda r: r.id.lower()))
        in_use = [r.region for r in (*groups, *resources)]
        looked_at = self._regions(seeing_azure.nearest(first["the locations"], in_use), wanted)
        second = self._read({**self._of_regions(looked_at), **self._of_names(names)})
        models = (one for region in looked_at for one in seeing_azure.models(second[f"models in {region}"], region))
        ends = tuple(sorted(models, key=lambda one: one.model))
        return SubscriptionSnapshot(
            endpoint=azure.endpoint,
            taken_at=self.now,
            subscription_id=azure.subscription_id,
            subscription_name=display(about.get("displayName") or about.get("display_name") or ""),
            tenant_id=display(about.get("tenantId") or about.get("tenant_id") or azure.settings.arm_tenant_id),
            regions=tuple(sorted(known, key=lambda r: r.name)),
            groups=groups,
            resources=resources,
            quotas=self._quotas(looked_at, second),
            skus=self._skus(looked_at, second),
            models=tuple(one.model for one in ends if one.is_open),
            model_ends=ends,
            kubernetes=tuple(
                one for region in looked_at for one in seeing_azure.kubernetes(second[f"Kubernetes versions in {region}"], region)
            ),
            networks=tuple(sorted(map(seeing_azure.network, first["the networks"]), key=lambda one: one.id.lower())),
            permissions=tuple(map(seeing_azure.permission, first["the permissions"])),
            unregistered=tuple(sorted(seeing_azure.unregistered(first["the resource providers"]))),
            principal=display(azure.settings.arm_client_id),
            groups_gone=_groups("gone", second),
            groups_unseen=_groups("unseen", second),
            names_taken=self._names_taken(first["deleted vaults"], names, second),
            security_rules=tuple(
                sorted(
                    (rule for row in first["the security groups"] for rule in seeing_azure.security_rules(row)),
                    key=lambda r: (r.group_id.lower(), r.inbound, r.priority),
                )
            ),
            problems=tuple(self.problems),
        )

    def _of_regions(self, regions: Iterable[str]) -> dict[str, Read]:
        azure, reads = self.azure, dict[str, Read]()
        for name in regions:
            reads[f"quotas in {name}"] = partial(azure.every, f"quotas in {name}", partial(azure.compute.usage.list, name))
            reads[f"sizes in {name}"] = partial(
                azure.every, f"sizes in {name}", partial(azure.compute.resource_skus.list, filter=f"location eq '{name}'")
            )
            reads[f"Kubernetes versions in {name}"] = partial(
                azure.arm_rows, f"locations/{name}/kubernetesVersions", "Microsoft.ContainerService"
            )
            for subject, path in (("model quotas", "usages"), ("models", "models")):
                reads[f"{subject} in {name}"] = partial(azure.arm_rows, f"locations/{name}/{path}", "Microsoft.CognitiveServices")
        return reads

    def _of_names(self, names: Sequence[str]) -> dict[str, Read]:
        reads = dict[str, Read]()
        for full in list(dict.fromkeys(names))[:NAMES_MAX]:
            kind, _, name = full.partition(":")
            if kind == GROUP and name:
                reads[f"the group {display(name)}"] = partial(self._look_up, name)
            elif kind in seeing_azure.NAME_CHECKS and name:
                reads[f"the name {display(name)}"] = partial(self._check, kind, name)
        return reads

    def _look_up(self, object_id: str) -> list[Row]:
        known = self.azure.knows_group(object_id)
        return [] if known else [{"unseen" if known is None else "gone": object_id}]

    def _check(self, kind: str, name: str) -> list[Row]:
        provider, operation, key = seeing_azure.NAME_CHECKS[kind]
        answer = self.azure.arm(operation, provider, body={key: name, "type": kind})
        return [{"full": f"{kind}:{name}"}] if seeing_azure.is_taken(answer) else []

    def _read(self, reads: Mapping[str, Read]) -> dict[str, list[Row]]:
        """Raises when the whole subscription cannot be read; everything else that fails is a problem, and empty."""
        answers = together(reads)
        found: dict[str, list[Row]] = {}
        for subject, answer in answers.items():
            if isinstance(answer, Away) or (isinstance(answer, WorldProblem) and subject == "the subscription"):
                raise answer
            if isinstance(answer, WorldProblem):
                self.problems.append(ScanProblem(subject=subject, detail=f"{answer.summary} {answer.detail}", remedy=answer.remedy))
                found[subject] = []
            else:
                found[subject] = answer
        return found

    def _regions(self, nearest: tuple[str, ...], wanted: Sequence[str]) -> tuple[str, ...]:
        """Those that were named; otherwise those in use and the ones nearest to them."""
        if wanted:
            for name in wanted:
                if nearest and name not in nearest:
                    detail = f"The subscription has no region called {display(name)}."
                    self.problems.append(ScanProblem(subject="regions", detail=detail, remedy="`az account list-locations` shows them."))
            return tuple(name for name in dict.fromkeys(wanted) if name in nearest)
        if len(nearest) > REGIONS_MAX:
            detail = f"Quotas, sizes and models of {REGIONS_MAX} of {len(nearest)} regions were read: {', '.join(nearest[:REGIONS_MAX])}."
            self.problems.append(ScanProblem(subject="regions", detail=detail, remedy="Name the region that you want.", ours=True))
        return nearest[:REGIONS_MAX]

    def _quotas(self, regions: Iterable[str], second: Mapping[str, list[Row]]) -> tuple[Quota, ...]:
        rows = [(name, row) for name in regions for subject in ("quotas", "model quotas") for row in second[f"{subject} in {name}"]]
        return tuple(sorted((q for name, row in rows if (q := seeing_azure.quota(row, name))), key=lambda q: (q.region, q.name)))

    def _skus(self, regions: Iterable[str], second: Mapping[str, list[Row]]) -> tuple[Sku, ...]:
        rows = [(name, row) for name in regions for row in second[f"sizes in {name}"]]
        return tuple(sorted((s for name, row in rows if (s := seeing_azure.sku(row, name))), key=lambda s: (s.region, s.name)))

    def _names_taken(self, deleted: Iterable[Row], names: Sequence[str], second: Mapping[str, list[Row]]) -> tuple[str, ...]:
        """A vault that was deleted holds its name until it is purged."""
        vaults = [f"Microsoft.KeyVault/vaults:{display(row.get('name') or '')}" for row in deleted]
        checked = [str(row["full"]) for subject, rows in second.items() if subject.startswith("the name ") for row in rows]
        return tuple(sorted({*vaults, *checked}))
