"""A review with what the organisation's policy says of each part. The policy's own language is in tools.rules.plans.policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tools.rules.plans.policy import Judgement, Spent, asks_for, document, judge
from tools.values.manifest import Manifest, Part
from tools.values.plan import Estimate
from tools.values.policy import Policy
from tools.values.requirements import Origin
from tools.values.review import Review, Severity
from tools.values.site import Site
from tools.values.value import Json


def whose(part: Part, site: Site) -> tuple[str, str]:
    """(team, environment): as the request says, or else the site's team."""
    return part.needs.text("team", site.team), part.needs.text("environment")


def judge_by_policy(
    review: Review,
    manifest: Manifest,
    cost: Callable[[Sequence[Part]], Estimate],
    site: Site,
    policy: Policy,
    spent: Sequence[Spent] = (),
    also: Sequence[Callable[[Json], Judgement]] = (),
) -> Review:
    """The review with the policy's findings. `cost` reckons parts; `spent` is what runs that stand cost already; `also` are judges besides
    the YAML rules, such as Rego."""
    findings, passed, approvals = list(review.findings), list(review.passed), dict(review.approvals)
    alone = {part.label: cost((part,)) for part in manifest.parts}
    # A budget is for everything in the request, so each part sees what the others cost.
    asked = [(part.label, Spent(*whose(part, site), alone[part.label].total or 0.0, alone[part.label].currency)) for part in manifest.parts]
    for part in manifest.parts:
        others = (*spent, *(one for label, one in asked if label != part.label))
        team = whose(part, site)[0]
        seen = document(part, alone[part.label], requester=manifest.requester, team=team, tenant=site.tenant, spent=others)
        for judgement in (judge(policy, seen), *(other(seen) for other in also)):
            findings += judgement.findings
            passed += judgement.passed
            for role, reason in judgement.approvals:
                approvals.setdefault(role, _with_assumptions(reason, part, asks_for(policy, role, reason)))
    order = list(Severity)
    return review.model_copy(
        update={
            "findings": tuple(sorted(findings, key=lambda f: (order.index(f.severity), f.part, f.check, f.subject))),
            "passed": tuple(sorted(passed)),
            "approvals": tuple(approvals.items()),
            "policy_version": f"{policy.version} {policy.digest[:12]}",
        }
    )


def roles_to_remove(
    parts: Sequence[Part], requester: str, site: Site, policy: Policy, also: Sequence[Callable[[Json], Judgement]] = ()
) -> tuple[tuple[str, str], ...]:
    """(role, reason) that the policy asks for where these parts are removed. What it would refuse to make may always be taken away."""
    found: dict[str, str] = {}
    for part in parts:
        seen = document(part, Estimate(), requester=requester, team=whose(part, site)[0], tenant=site.tenant, removes=True)
        for judgement in (judge(policy, seen), *(other(seen) for other in also)):
            for role, reason in judgement.approvals:
                found.setdefault(role, reason)
    return tuple(found.items())


def _with_assumptions(reason: str, part: Part, names: Sequence[str]) -> str:
    """What nobody said is told beside what is asked because of it."""
    found = (part.needs.field(name) for name in names)
    told = [f"Nobody said so: {one.because}" for one in found if one is not None and one.origin is Origin.ASSUMED]
    return " ".join((reason, *told))
