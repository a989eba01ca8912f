"""What is spent, shown back to whoever asked for it: what Azure has charged this month where it tells, the estimates of the plans
elsewhere. Pure: what was charged is handed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from tools.values.manifest import Manifest
from tools.values.spending import Spend, Spending, Sums, add_up


def spending(
    standing: Iterable[tuple[str, Manifest, float, str]],
    charged: Mapping[str, Mapping[str, Sums]],
    unread: Iterable[str],
    on: date,
    team: str = "",
) -> Spending:
    """`standing`: (run, its manifest, its estimate a month, the estimate's currency) of the runs that stand. `charged`: subscription →
    resource group in small letters → what was charged this month, of the subscriptions that were read; `unread`: why others were not.
    `team`: whose things are, where nobody said."""
    spends: list[Spend] = []
    ours: set[tuple[str, str]] = set()
    for run_id, manifest, monthly, estimated_in in standing:
        made_in = set(groups(manifest))
        known = bool(made_in) and all(subscription in charged for subscription, _ in made_in)
        its = {(one, group) for one, group in _every(charged) if any(one == at and belongs(group, made) for at, made in made_in)}
        ours |= its
        needs = manifest.parts[0].needs
        spends.append(
            Spend(
                run_id=run_id,
                names=tuple(part.label for part in manifest.parts),
                team=needs.text("team") or team,
                environment=needs.text("environment"),
                estimated_monthly=add_up([(estimated_in, monthly)]) if estimated_in else (),
                charged=add_up(sum_ for one, group in its for sum_ in charged[one][group]) if known else None,
            )
        )
    others = add_up(sum_ for one, group in _every(charged) if (one, group) not in ours for sum_ in charged[one][group])
    return Spending(spends=tuple(spends), others=others, read=bool(charged), unread=tuple(unread), on=on)


def _every(charged: Mapping[str, Mapping[str, Sums]]) -> Iterable[tuple[str, str]]:
    return ((one, group) for one, by_group in charged.items() for group in by_group)


def belongs(group: str, made: str) -> bool:
    """The group itself, and those that AKS and Databricks make beside it for their machines: `MC_GROUP_CLUSTER_REGION` is AKS' own name
    (learn.microsoft.com, AKS FAQ, "Why are two resource groups created with AKS?"), `GROUP-managed` the one that Berth gives."""
    return group in (made, f"{made[:80]}-managed") or group.startswith(f"mc_{made}_")


def groups(manifest: Manifest) -> Iterable[tuple[str, str]]:
    """(subscription, resource group in small letters) that a run made."""
    for part in manifest.parts:
        for kind, name in part.cloud.names if part.cloud else ():
            if kind.endswith("resource_group") and part.cloud:
                yield part.cloud.subscription_id, name.lower()


def subscriptions(manifests: Iterable[Manifest]) -> tuple[str, ...]:
    """Where runs made something in Azure."""
    return tuple(dict.fromkeys(subscription for one in manifests for subscription, _ in groups(one)))


def by_group(columns: Iterable[Mapping[str, object]], rows: Iterable[Iterable[object]]) -> dict[str, Sums]:
    """Resource group in small letters → what it was charged, of an answer of Cost Management, which has a row for each currency. Columns
    come in any order. Azure REST, Query - Usage, 2023-11-01."""
    named = [str(column.get("name", "")).lower() for column in columns]
    found: dict[str, Sums] = {}
    for row in rows:
        values = dict(zip(named, row, strict=False))
        group, amount = str(values.get("resourcegroupname", "")).lower(), values.get("cost")
        if isinstance(amount, int | float):
            found[group] = add_up((*found.get(group, ()), (str(values.get("currency") or ""), float(amount))))
    return found
