"""Databricks: what is understood of a sentence, what the region and the quota allow, and a workspace from the sentence to its cluster and
back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools.capabilities.databricks import variables
from tools.clients import databricks
from tools.clients.settings import Settings
from tools.pipeline.guide import write_guide
from tools.pipeline.platforms.azure.verify import verify
from tools.platforms import estimate
from tools.rules.azure.checks import cloud_of
from tools.rules.plans.policy import refused
from tools.values.requirements import Needs
from tools.values.run import PartReceipt
from tools.values.snapshot import SubscriptionSnapshot
from tools.values.trouble import RequestProblem, WorldProblem

from . import bodies
from .conftest import (
    NOW,
    POLICY,
    Folder,
    Look,
    composed,
    errors,
    name_of,
    offered,
    owning,
    required,
    situation,
    wanted_changes,
)

WORDS = "a Databricks workspace for the ML team in eastus, 2-8 workers"


def needs_of(words: str) -> Needs:
    return required(words).parts[0]


def values(needs: Needs, *names: str) -> tuple[object, ...]:
    return tuple(found.value if (found := needs.field(name)) else None for name in names)


@pytest.mark.parametrize(
    ("words", "names", "expected"),
    [
        ("Databricks", ("min_workers", "max_workers", "idle_minutes", "hours_monthly", "gpu", "region"), (2, 8, 20, 176, False, "eastus")),
        ("Databricks with 1-4 workers", ("min_workers", "max_workers"), (1, 4)),
        ("Databricks with 2 to 6 workers", ("min_workers", "max_workers"), (2, 6)),
        ("Databricks with between 3 and 6 workers", ("min_workers", "max_workers"), (3, 6)),
        ("Databricks with 1 worker", ("min_workers", "max_workers"), (1, 1)),
        ("Databricks, max workers 20, min workers 3", ("min_workers", "max_workers"), (3, 20)),
        ("Databricks with GPU", ("gpu", "node_type"), (True, None)),
        ("Databricks without GPU", ("gpu",), (False,)),
        ("Databricks on NC6s_v3", ("gpu", "node_type"), (True, "Standard_NC4as_T4_v3")),
        ("Databricks on Standard_D8s_v5, stop after 30 minutes", ("gpu", "node_type", "idle_minutes"), (False, "Standard_D8s_v5", 30)),
        (
            "Databricks, resource group rg-ml-team-prod, $3,000 a month budget",
            ("resource_group", "budget_monthly"),
            ("rg-ml-team-prod", 3000.0),
        ),
    ],
)
def test_what_is_understood(words: str, names: tuple[str, ...], expected: tuple[object, ...]) -> None:
    needs = needs_of(words)
    assert not needs.missing, "nothing has to be asked for"
    assert not needs.problems
    assert values(needs, *names) == expected


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("Databricks with 0 workers", "Say a number from 1 to 100"),
        ("Databricks with 5000 workers", "Say a number from 1 to 100"),
        ("Databricks, 2 workers, min workers 6", "cannot both be"),
        ("Databricks, stop after 2 minutes", "Say a number from 10 to 240"),
        ("Databricks in eastuss", "Did you mean eastus"),
        ("Databricks, budget 300 EUR", "USD"),
        ("Databricks, budget $0 a month", "budget"),
    ],
)
def test_what_cannot_be_taken_is_told(words: str, said: str) -> None:
    assert said in " ".join(needs_of(words).problems)


@pytest.mark.parametrize(
    ("words", "first", "left_out"),
    [
        (WORDS, "eastus/Standard_E8ds_v5", ()),
        ("Databricks with GPU, 2 workers, eastus", "eastus/Standard_NC4as_T4_v3", ("Standard_NC24ads_A100_v4",)),
        ("Databricks in westus2, 20 workers", "westus2/Standard_D4s_v5", ("Standard_E8ds_v5", "Standard_D8s_v5")),
    ],
)
def test_the_quota_decides(seen: SubscriptionSnapshot, words: str, first: str, left_out: tuple[str, ...]) -> None:
    offer = offered(words, seen).parts[0]
    assert offer.candidates[0].id == first
    assert set(left_out) <= {e.subject for e in offer.exclusions}
    assert all(s.holds for c in offer.candidates for s in c.sums)


def test_what_would_fit_is_told_and_does_fit(seen: SubscriptionSnapshot) -> None:
    offer = offered("Databricks on NC24ads_A100_v4 with 4 workers in eastus", seen).parts[0]
    assert not offer.candidates
    assert "24 of 24 are left" in offer.exclusions[0].reason
    offer = offered("Databricks with 60 workers in eastus", seen).parts[0]
    assert offer.counter_offer == "It would fit with 11 workers of Standard_E8ds_v5 instead of 60." or offer.candidates
    assert offered("Databricks with 11 workers in eastus", seen).parts[0].candidates[0].id == "eastus/Standard_E8ds_v5"
    assert "Standard_E8ds_v5" in {e.subject for e in offered("Databricks with 12 workers in eastus", seen).parts[0].exclusions}


def test_fewer_workers_cost_less(seen: SubscriptionSnapshot) -> None:
    def month(words: str) -> float:
        total = estimate(composed(words, seen).parts, situation(seen)).total
        assert total is not None
        return total

    many, few = month(WORDS), month("a Databricks workspace for the ML team in eastus, 1-4 workers")
    # Six nodes against three and a half, on average, for 176 hours: list prices of the snapshot.
    assert round(many - few, 2) == round(2.5 * 176 * (0.576 + 2.75 * 0.55), 2)


def test_a_node_type_without_a_rate_is_named_and_not_free(seen: SubscriptionSnapshot) -> None:
    made = composed("Databricks on Standard_D8ds_v5 with 2 workers in eastus", seen)
    found = estimate(made.parts, situation(seen))
    unpriced = [line for line in found.lines if line.amount is None]
    assert [line.unit for line in unpriced] == ["dbu.unknown.Standard_D8ds_v5"]
    assert "Not priced" in " ".join(found.assumptions)


@pytest.mark.parametrize(("workers", "length"), [(1, 24), (25, 24), (30, 23), (100, 22)])
def test_every_node_has_an_address(workers: int, length: int) -> None:
    assert variables.prefix_length(workers) == length
    subnets = variables.network_of(f"10.64.0.0/{length}")["subnets"]
    assert all(variables.holds(subnets[name]) >= 2 * (workers + 1) for name in ("host", "container"))


def test_a_pick_that_was_not_offered_is_refused(seen: SubscriptionSnapshot) -> None:
    with pytest.raises(RequestProblem, match="not among the candidates"):
        composed(WORDS, seen, "westus2/Standard_M416ms_v2")


def test_review_finds_what_has_moved(seen: SubscriptionSnapshot) -> None:
    part = composed(WORDS, seen).parts[0]

    assert errors(part, seen) == set()
    used = tuple(q.model_copy(update={"used": q.limit}) if q.name == "standardEDSv5Family" else q for q in seen.quotas)
    assert errors(part, seen.model_copy(update={"quotas": used})) == {"quota"}
    skus = tuple(s.model_copy(update={"restricted": "Zone"}) if s.name == "Standard_E8ds_v5" else s for s in seen.skus)
    assert errors(part, seen.model_copy(update={"skus": skus})) == {"size.offered"}
    assert errors(part, seen.model_copy(update={"subscription_id": "other"})) == {"subscription"}
    small = {**part.variables, "subnets": {**part.variables["subnets"], "host": "10.139.0.0/29"}}
    assert errors(part.model_copy(update={"variables": small}), seen) == {"addresses.enough"}
    untagged = cloud_of(part).model_copy(update={"tags": (("owner", "x"),)})
    assert errors(part.model_copy(update={"cloud": untagged}), seen) == {"tags"}


def test_from_a_sentence_to_a_cluster_and_back(
    folder: Callable[[str], Folder], look: Look, azure_settings: Settings, tmp_path: Path
) -> None:
    part = composed(WORDS, look()).parts[0]
    place = folder(part.module)
    place.vary(part)
    plan = place.plan()
    assert bodies.faults(plan) == []
    assert refused(POLICY, part, plan) == ()
    place.apply()
    assert wanted_changes(place.plan()) == []

    outputs = place.terraform.outputs()
    assert part.configure is not None
    wanted = part.configure.variables
    host = str(outputs["workspace_url"])
    said: list[str] = []
    first = databricks.inside(azure_settings, host, "make", wanted, said.append)
    assert list(first) == said
    assert [line.rpartition(": ")[2] for line in first] == ["made.", "made.", "made; it starts.", "it runs."]
    again = databricks.inside(azure_settings, host, "make", wanted, said.append)
    assert {line.rpartition(": ")[2] for line in again} == {"as it should be."}, "the second time changes nothing"

    fewer = composed("a Databricks workspace for the ML team in eastus, 1-4 workers", look()).parts[0].configure
    assert fewer is not None
    renamed = {
        "pool": {**fewer.variables["pool"], "instance_pool_name": wanted["pool"]["instance_pool_name"]},
        "policy": {**fewer.variables["policy"], "name": wanted["policy"]["name"]},
        "cluster": {**fewer.variables["cluster"], "cluster_name": wanted["cluster"]["cluster_name"]},
    }
    changed = databricks.inside(azure_settings, host, "make", renamed, said.append)
    assert [line.rpartition(": ")[2] for line in changed] == [
        "changed (max_capacity).",
        "changed.",
        "changed (autoscale).",
        "it runs.",
    ]
    looked = databricks.inside(azure_settings, host, "look", renamed, said.append)
    assert "1 to 4 workers, and stops after 20 idle minutes" in looked[-1]
    with pytest.raises(WorldProblem, match="There is no cluster policy nothing"):
        databricks.inside(azure_settings, host, "look", {**renamed, "policy": {"name": "nothing"}}, said.append)
    wrong = {**renamed, "cluster": {**renamed["cluster"], "spark_version": "1.0.x-scala2.12"}}
    with pytest.raises(WorldProblem, match="does not offer the runtime"):
        databricks.inside(azure_settings, host, "make", wrong, said.append)
    with pytest.raises(WorldProblem, match="cannot be reached"):
        databricks.inside(azure_settings, "127.0.0.1:9", "look", renamed, said.append)

    context = SimpleNamespace(
        settings=azure_settings,
        outputs=outputs,
        part=part,
        run_folder=tmp_path / "run-x",
        part_folder=tmp_path / "run-x" / "databricks",
        now=lambda: NOW,
    )
    context.part_folder.mkdir(parents=True)
    azure_says = verify(context, said.append)  # type: ignore[arg-type]
    assert name_of(part, "databricks") in azure_says[0]
    receipt = PartReceipt(label=part.label, outputs=outputs, verified=(*azure_says, *looked))
    guide = write_guide(context, receipt).read_text()  # type: ignore[arg-type]
    assert f"https://{host}" in guide
    assert "1 to 4 workers" in guide
    assert "remove run-x" in guide

    after = look()
    assert "name.free" in errors(part, after)
    assert errors(owning(part, place), after) == set()
    assert name_of(composed(WORDS, after).parts[0], "resource_group").endswith("-02")
    place.plan(destroy=True)
    place.apply()
    assert place.terraform.state_is_empty()
