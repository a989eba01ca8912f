"""The policy language as tables: each rule's outcome, each refusal's words, and files that cannot be read."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.builders import part_named
from tools.rules.plans.judging import roles_to_remove
from tools.rules.plans.policy import Spent, allowed_values, document, is_about_cost, judge, read_policy, run_examples
from tools.rules.words.findings import detail, remedy
from tools.values.plan import Estimate
from tools.values.requirements import Field, Origin
from tools.values.site import Site
from tools.values.trouble import RequestProblem

SHIPPED = files("tools.data").joinpath("policy.yaml").read_text()

BASE = {
    "part": "data_workspace",
    "platform": "azure",
    "team": {"monthly_after": 100.0},
    "requirements": {"region": "eastus"},
    "cost": {"monthly": 100.0},
    "changes": [],
}


def _with(**changes: object) -> dict[str, object]:
    return {**BASE, **changes}


def _change(**after: object) -> dict[str, object]:
    return {"address": "azapi_resource.x", "type": "azapi_resource", "after": after}


@pytest.mark.parametrize(
    ("seen", "outcome", "speaks"),
    [
        (BASE, "approve", []),
        (_with(team={"monthly_after": 15001.0}), "reject", ["policy.max-budget-per-team"]),
        (_with(team={"monthly_after": 15000.0}), "approve", []),
        (_with(requirements={"region": "eastus", "budget_monthly": 8}), "reject", ["policy.own-budget"]),
        (_with(requirements={"region": "northpole"}), "reject", ["policy.allowed-regions"]),
        (_with(requirements={"region": "westus2", "gpu": True}), "approval", []),
        (_with(requirements={"region": "westus2", "data_bytes": 10**12}), "approve", []),
        (_with(requirements={"region": "westus2", "data_bytes": 10**12 + 1}), "approval", []),
        (_with(changes=[_change(location="westeurope")]), "reject", ["policy.allowed-regions-of-resources"]),
        (_with(changes=[_change(tags={"owner": "ml"})]), "reject", ["policy.tags-required"]),
        (
            _with(changes=[_change(body={"properties": {"publicNetworkAccess": "Enabled"}})]),
            "reject",
            ["policy.no-public-exposure"],
        ),
        (_with(changes=[_change(body={"properties": {"vmSize": "Standard_NC6s_v3"}})]), "reject", ["policy.retired-sizes"]),
        (
            _with(
                changes=[_change(type="Microsoft.Storage/storageAccounts@2025-01-01", body={"properties": {"allowSharedKeyAccess": True}})]
            ),
            "reject",
            ["policy.encryption-required", "policy.no-shared-keys"],
        ),
    ],
)
def test_the_shipped_policy_decides(seen: dict[str, object], outcome: str, speaks: list[str]) -> None:
    got = judge(read_policy(SHIPPED), seen)
    assert (got.outcome, [f.check for f in got.findings]) == (outcome, speaks)
    assert all(remedy(f) for f in got.findings)


def test_every_example_of_the_shipped_policy_comes_out_as_expected() -> None:
    assert [difference for _, difference in run_examples(read_policy(SHIPPED)) if difference] == []


def test_an_example_that_does_not_says_what_differs() -> None:
    policy = read_policy("version: 1\nexamples: [{name: x, document: {}, expect: reject}]")
    assert run_examples(policy) == (("x", "it expects reject, and the outcome is approve (no rule spoke)"),)


def test_a_refusal_says_what_was_found_and_what_would_pass() -> None:
    policy = read_policy(SHIPPED)
    (finding,) = judge(policy, _with(requirements={"region": "northpole"})).findings
    assert dict(finding.data)["failing"] == (("requirements.region", "northpole", "in", "eastus, westus2"),)
    assert "requirements.region is northpole and must be one of eastus, westus2." in detail(finding)
    assert allowed_values(policy, finding) == ("region", ("eastus", "westus2"))


def test_a_refusal_is_about_cost_by_what_its_rule_compares_and_not_by_its_name() -> None:
    """A budget is raised or undercut whoever wrote the policy."""
    purse = "{id: purse, outcome: reject, because: x, must: {cost.monthly: {at_most: 5}}}"
    own = "{id: own-budget, outcome: reject, because: x, must: {requirements.gpu: false}}"
    policy = read_policy(f"version: 1\nrules: [{purse}, {own}]")
    costly, other = judge(policy, _with(requirements={"gpu": True})).findings
    assert (is_about_cost(policy, costly), is_about_cost(policy, other)) == (True, False)


def test_a_rule_may_be_about_what_is_removed() -> None:
    policy = read_policy(
        "version: '1'\nrules:\n- {id: second-person, when: {plan: remove, requirements.environment: production}, outcome: approval, "
        "role: manager, because: Two people.}\n- {id: region, must: {requirements.region: {in: [eastus]}}, outcome: reject, because: No.}"
    )
    part = part_named("web", Path("effects"))
    field = Field(name="environment", value="production", origin=Origin.SAID, words="production")
    part = part.model_copy(update={"needs": part.needs.model_copy(update={"fields": (field,)})})
    assert roles_to_remove((part,), "ops", Site(), policy) == (("manager", "Two people."),)
    assert judge(policy, document(part, Estimate(), requester="ops", team="")).approvals == ()


@pytest.mark.parametrize(
    ("tenant", "standing", "kinds"),
    [("acme", 60, ["policy"]), ("acme", 40, ["policy.other_currencies"]), ("rival", 60, []), ("", 60, [])],
)
def test_a_budget_of_a_tenant_counts_all_its_teams(tenant: str, standing: float, kinds: list[str]) -> None:
    policy = read_policy(
        "version: 1\nrules:\n- {id: purse, outcome: reject, because: x, when: {tenant.name: acme}, "
        "must: {tenant.monthly_after: {at_most: 100}}}"
    )
    spent = (Spent("ml", "production", standing / 2, "USD"), Spent("web", "development", standing / 2, "USD"), Spent("ml", "x", 900, "EUR"))
    part = part_named("web", Path("effects"))
    judged = judge(policy, document(part, Estimate(total=50, currency="USD"), requester="ops", team="ml", tenant=tenant, spent=spent))
    assert [one.kind for one in judged.findings] == kinds
    assert judged.outcome == ("reject" if kinds == ["policy"] else "approve")


def test_a_limit_that_was_never_stated_limits_nothing() -> None:
    assert judge(read_policy(SHIPPED), _with(requirements={"region": "eastus", "budget_monthly": None})).outcome == "approve"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rules: [", "not valid YAML in line"),
        ("version: 1\nrules: [{id: A B, outcome: reject, because: x}]", "rule A B, id"),
        ("version: 1\nrules: [{id: a, outcome: approval, because: x}]", "names a role exactly when"),
        ("version: 1\nrules: [{id: a, outcome: forbid, because: x}]", "rule a, outcome"),
        ("version: 1\nrules: [{id: a, outcome: reject, because: x, must: {region: {resembles: y}}}]", "operator"),
        ("version: 1\nrules: [{id: a, outcome: reject, because: x, must: {region: {matches: '('}}}]", "pattern '('"),
        ("version: 1\nrules: [{id: a, outcome: warn, because: x}, {id: a, outcome: warn, because: x}]", "the id a is used twice"),
        ("[]", "the policy"),
        ("version: 1\nsurprise: 2", "surprise"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_by_its_fault(text: str, words: str) -> None:
    with pytest.raises(RequestProblem) as problem:
        read_policy(text)
    assert words in str(problem.value)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        read_policy(text)
    except RequestProblem as problem:
        assert str(problem).endswith(".")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda x: st.lists(x) | st.dictionaries(st.text(max_size=8), x),
    )
)
def test_any_document_is_judged(value: object) -> None:
    judge(
        read_policy(SHIPPED),
        {"part": "x", "platform": "azure", "requirements": {"region": value, "gpu": value}, "changes": [{"after": value}]},
    )
