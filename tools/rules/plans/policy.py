"""Judges a request, its manifest and its plan by an organisation's policy. What the policy is, is data: tools/values/policy.py."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError

from tools.rules.plans.pricing import CURRENCY
from tools.values.manifest import Part
from tools.values.plan import Estimate
from tools.values.policy import Condition, Policy, Reference, Rule, Test
from tools.values.review import Finding, Severity, fault
from tools.values.trouble import RequestProblem
from tools.values.value import Json, Value

YAML_BYTES_MAX = 1_000_000
PATTERN_CHARACTERS_MAX = 200
SUMS = {"team.": "team", "environment.": "team", "tenant.": "tenant"}
"""Where a document adds up what runs cost, and whose they are."""
COSTS = ("cost.monthly", *(f"{place}{sum}" for place in SUMS for sum in ("monthly_after", "spent_monthly")))
"""Where a document says what is paid."""
LIMIT = "{limit}"
"""In a rule's reason: the limit of its first test."""
_MISSING = object()


class Spent(NamedTuple):
    """What something costs a month, and whose it is."""

    team: str
    environment: str
    monthly: float
    currency: str = CURRENCY
    """Empty when nothing is paid in money."""


class Judgement(Value):
    """What a policy says about one document."""

    findings: tuple[Finding, ...] = ()
    approvals: tuple[tuple[str, str], ...] = ()
    """(role, reason), each role once."""
    passed: tuple[str, ...] = ()
    """Rules that looked at something and hold."""

    @property
    def outcome(self) -> str:
        if any(f.severity is Severity.ERROR for f in self.findings):
            return "reject"
        return "approval" if self.approvals else "approve"


def read_policy(text: str, name: str = "the policy") -> Policy:
    """Raises RequestProblem that names every fault of the file, with its place."""
    if len(text) > YAML_BYTES_MAX:
        raise RequestProblem("The policy cannot be read.", f"{name} is larger than {YAML_BYTES_MAX // 1_000_000} MB.", "Split it up.")
    try:
        loaded = yaml.safe_load(text)
        return Policy.model_validate(_spelled_out(loaded))
    except yaml.YAMLError as fault:
        place = getattr(fault, "problem_mark", None)
        where = f" in line {place.line + 1}" if place else ""
        raise RequestProblem("The policy cannot be read.", f"{name} is not valid YAML{where}.", "Correct that line.") from None
    except ValidationError as fault:
        faults = "; ".join(f"{_place(e['loc'], loaded)}: {e['msg'].removeprefix('Value error, ')}" for e in fault.errors()[:8])
        raise RequestProblem("The policy cannot be read.", f"{name}: {faults}.", "docs/policy.md explains every word.") from None


def document(
    part: Part,
    estimate: Estimate,
    *,
    requester: str,
    team: str,
    tenant: str = "",
    spent: Iterable[Spent] = (),
    changes: Iterable[Json] = (),
    removes: bool = False,
) -> Json:
    """What the rules see of one part. `spent` is what else stands or is asked for: of the tenant counts all of it, of a team what is its
    own, and of an environment what that team has there. `changes` are those of terraform's plan: address, type, action and the values
    after."""
    environment, currency = part.needs.text("environment"), estimate.currency or CURRENCY
    spent = tuple(spent)
    own = [one for one in spent if one.team == team]
    this = estimate.total or 0.0

    def added_up(of: Iterable[Spent]) -> dict[str, Json]:
        total = sum(one.monthly for one in of if one.currency in ("", currency))
        return {"spent_monthly": total, "monthly_after": total + this}

    def others(of: Iterable[Spent]) -> list[str]:
        return sorted({one.currency for one in of if one.monthly and one.currency not in ("", currency)})

    return {
        "plan": "remove" if removes else "make",
        "part": part.label,
        "capability": part.capability,
        **_where(part),
        "requester": requester,
        "team": {"name": team, **added_up(own), "other_currencies": others(own)},
        "tenant": {"name": tenant, **added_up(spent), "other_currencies": others(spent)},
        "environment": {"name": environment, **added_up(one for one in own if one.environment == environment)},
        "requirements": {f.name: list(f.value) if isinstance(f.value, tuple) else f.value for f in part.needs.fields},
        "cost": {
            "monthly": estimate.total,
            "currency": estimate.currency,
            "unpriced": [line.subject for line in estimate.lines if estimate.currency and line.amount is None],
        },
        "resources": [r.model_dump(mode="json", exclude={"meters"}) for r in part.resources],
        "changes": list(changes),
    }


def _where(part: Part) -> dict[str, Json]:
    """Policies of Berth 0.1 call the platform `target`."""
    return {"platform": part.platform, "target": part.platform}


def refused(policy: Policy, part: Part, plan_json: Json) -> tuple[Finding, ...]:
    """By the rules over terraform's own plan: what would really be made."""
    only = policy.model_copy(update={"rules": tuple(rule for rule in policy.rules if rule.over == "changes")})
    planned = [
        {
            "address": one.get("address"),
            "type": one.get("type"),
            "action": "/".join(change.get("actions", ())),
            "after": change.get("after"),
        }
        for one in plan_json.get("resource_changes", ())
        if (change := one.get("change", {})).get("actions") not in (["no-op"], ["read"])
    ]
    found = judge(only, {"part": part.label, **_where(part), "changes": planned}).findings
    return tuple(f for f in found if f.severity is Severity.ERROR)


def judge(policy: Policy, seen: Json) -> Judgement:
    findings: list[Finding] = []
    approvals: dict[str, str] = {}
    passed: list[str] = []
    part = str(seen.get("part", ""))
    for rule in policy.rules:
        for subject, item in _items(rule, seen):
            if not _holds(rule.when, item, seen):
                continue
            if rule.outcome == "approval":
                if _holds(rule.must, item, seen):
                    approvals.setdefault(rule.role, rule.because)
            elif _holds(rule.must, item, seen):
                passed.append(f"policy.{rule.id}:{part}:{subject}")
                if others := _left_out(rule, seen):
                    limited = fault("policy.other_currencies", because=_worded(rule, seen), currencies=others)
                    findings.append(limited.finding(f"policy.{rule.id}", part, subject, Severity.NOTE))
            else:
                severity = Severity.ERROR if rule.outcome == "reject" else Severity.WARNING
                found = fault("policy", because=_worded(rule, seen), remedy=rule.remedy, failing=_failing(rule.must, item, seen))
                findings.append(found.finding(f"policy.{rule.id}", part, subject, severity))
    return Judgement(findings=tuple(findings), approvals=tuple(approvals.items()), passed=tuple(passed))


def allowed_values(policy: Policy, finding: Finding) -> tuple[str, tuple[Json, ...]] | None:
    """For a rejected requirement: its name, and the values that its rule would take, best known first. None when the rule names none."""
    for test in _rule_of(policy, finding).must.all:
        if test.path.startswith("requirements.") and test.operator == "in" and isinstance(test.value, list):
            return test.path.removeprefix("requirements."), tuple(test.value)
    return None


def is_about_cost(policy: Policy, finding: Finding) -> bool:
    """Whether the rule that refuses holds a cost against a limit: then less of anything could pass."""
    must = _rule_of(policy, finding).must
    return any(test.path.startswith(COSTS) for test in (*must.all, *must.any, *must.none))


def asks_for(policy: Policy, role: str, because: str) -> tuple[str, ...]:
    """The requirements that the rule looks at which has a role approve, for this reason."""
    rules = (rule for rule in policy.rules if rule.outcome == "approval" and (rule.role, rule.because) == (role, because))
    tests = (test for rule in rules for of in (rule.when, rule.must) for test in (*of.all, *of.any, *of.none))
    return tuple(test.path.removeprefix("requirements.") for test in tests if test.path.startswith("requirements."))


def _left_out(rule: Rule, seen: Json) -> tuple[str, ...]:
    """Currencies that are in no sum that the rule looks at: only what is in one currency can be added up."""
    tests = [test.path for test in (*rule.must.all, *rule.must.any, *rule.must.none) if test.path.startswith(COSTS[1:])]
    whose = {of for place, of in SUMS.items() if any(path.startswith(place) for path in tests)}
    found = (_at(seen, f"{of}.other_currencies") for of in whose)
    return tuple(sorted({currency for one in found if one is not _MISSING for currency in one}))


def _rule_of(policy: Policy, finding: Finding) -> Rule:
    """An empty rule when the finding is no rule's of this policy."""
    nobodys = Rule(id="none", outcome="warn", because="")
    return next((rule for rule in policy.rules if f"policy.{rule.id}" == finding.check), nobodys)


def run_examples(policy: Policy) -> tuple[tuple[str, str], ...]:
    """(name, what differs) of every example; an empty text when it comes out as expected."""
    return tuple((example.name, _difference(policy, example.document, example.expect, example.rules)) for example in policy.examples)


def _difference(policy: Policy, seen: Json, expect: str, rules: tuple[str, ...]) -> str:
    got = judge(policy, seen)
    spoke = sorted({f.check.removeprefix("policy.") for f in got.findings} | _roles_spoke(policy, got))
    if got.outcome != expect:
        return f"it expects {expect}, and the outcome is {got.outcome} ({', '.join(spoke) or 'no rule spoke'})"
    if rules and spoke != sorted(rules):
        return f"it expects {', '.join(sorted(rules))} to speak, and {', '.join(spoke) or 'none'} did"
    return ""


def _roles_spoke(policy: Policy, got: Judgement) -> set[str]:
    return {
        r.id for r in policy.rules for role, because in got.approvals if r.outcome == "approval" and (r.role, r.because) == (role, because)
    }


def _items(rule: Rule, seen: Json) -> Iterable[tuple[str, Json]]:
    if rule.over == "request":
        return ((str(seen.get("part", "")), seen),)
    listed = seen.get(rule.over) or ()
    return ((str(item.get("name") or item.get("address") or i), item) for i, item in enumerate(listed))


def _holds(condition: Condition, item: Json, seen: Json) -> bool:
    return (
        all(_test(t, item, seen) for t in condition.all)
        and (not condition.any or any(_test(t, item, seen) for t in condition.any))
        and not any(_test(t, item, seen) for t in condition.none)
    )


def _test(test: Test, item: Json, seen: Json) -> bool:
    found = _at(item, test.path)
    limit = _at(seen, test.value.path) if isinstance(test.value, Reference) else test.value
    if test.operator == "exists":
        return (found is not _MISSING and found is not None) is (limit is not False)
    if found is _MISSING or limit is _MISSING or limit is None:
        # A limit that was never stated limits nothing; a value that is not there is not in any list.
        return limit is _MISSING or limit is None or test.operator in ("not", "not_in")
    try:
        return _COMPARE[test.operator](found, limit)
    except TypeError:
        return False


_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "is": lambda found, limit: found == limit,
    "not": lambda found, limit: found != limit,
    "in": lambda found, limit: found in limit,
    "not_in": lambda found, limit: found not in limit,
    "above": lambda found, limit: found > limit,
    "below": lambda found, limit: found < limit,
    "at_least": lambda found, limit: found >= limit,
    "at_most": lambda found, limit: found <= limit,
    "matches": lambda found, limit: re.fullmatch(limit, str(found)[:1000]) is not None,
    "contains": lambda found, limit: limit in found,
}


def _at(value: Json, path: str) -> Any:
    for step in path.split("."):
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return _MISSING
    return value


def _failing(condition: Condition, item: Json, seen: Json) -> tuple[tuple[str, ...], ...]:
    """(path, what was found, operator, limit) of the comparisons that fail."""
    failing = (
        [t for t in condition.all if not _test(t, item, seen)] or [*condition.any] or [t for t in condition.none if _test(t, item, seen)]
    )
    return tuple((t.path, _shown(_at(item, t.path)), t.operator, _limit(t, seen)) for t in failing[:4])


def _worded(rule: Rule, seen: Json) -> str:
    """The rule's reason, with the limit that it holds against where it says `{limit}`: a figure that is written twice is soon two."""
    if LIMIT not in rule.because:
        return rule.because
    test = next((one for one in (*rule.must.all, *rule.must.any)), None)
    limit = (_at(seen, test.value.path) if isinstance(test.value, Reference) else test.value) if test else None
    is_number = isinstance(limit, int | float) and not isinstance(limit, bool)
    return rule.because.replace(LIMIT, f"{limit:,.10g}" if is_number else _shown(limit))


def _limit(test: Test, seen: Json) -> str:
    return _shown(_at(seen, test.value.path) if isinstance(test.value, Reference) else test.value)


def _shown(value: Any) -> str:
    if value is _MISSING or value is None:
        return "not stated"
    if isinstance(value, list | tuple):
        return ", ".join(str(v) for v in value)
    return f"{value:,.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)[:120]


def _spelled_out(loaded: Any) -> Any:
    """The file's short form, `requirements.region: {in: [eastus]}` or `target: azure`, as tests."""
    if not isinstance(loaded, dict):
        return loaded
    rules = [
        {**rule, **{key: _condition(rule[key]) for key in ("when", "must") if key in rule}} if isinstance(rule, dict) else rule
        for rule in loaded.get("rules") or ()
    ]
    return {**loaded, "version": str(loaded.get("version", "")), "rules": rules}


def _condition(short: Any) -> Any:
    if not isinstance(short, dict):
        return short
    spelled: dict[str, list[Any]] = {"all": [], "any": [], "none": []}
    for key, value in short.items():
        if key in ("any", "none") and isinstance(value, list):
            spelled[key] += [test for item in value if isinstance(item, dict) for test in _tests(item)]
        else:
            spelled["all"] += _tests({key: value})
    return spelled


def _tests(short: Mapping[str, Any]) -> list[dict[str, Any]]:
    tests = []
    for path, held in short.items():
        pairs = held.items() if isinstance(held, dict) else [("is", held)]
        for operator, value in pairs:
            if operator == "matches":
                _check_pattern(value)
            tests.append({"path": path, "operator": operator, "value": value})
    return tests


def _check_pattern(pattern: Any) -> None:
    try:
        if not isinstance(pattern, str) or len(pattern) > PATTERN_CHARACTERS_MAX:
            raise re.error("too long, or not a text")
        re.compile(pattern)
    except re.error as fault:
        raise RequestProblem(
            "The policy cannot be read.", f"The pattern {str(pattern)[:60]!r} is not one: {fault}.", "Correct it."
        ) from None


def _place(steps: tuple[int | str, ...], loaded: Any) -> str:
    if len(steps) > 1 and steps[0] == "rules" and isinstance(steps[1], int):
        rule = (loaded.get("rules") or [])[steps[1]]
        name = rule.get("id", steps[1] + 1) if isinstance(rule, dict) else steps[1] + 1
        return f"rule {name}, {'.'.join(str(s) for s in steps[2:])}".rstrip(", ")
    return ".".join(str(s) for s in steps) or "the file"
