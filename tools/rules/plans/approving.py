"""Whether a plan is approved: which roles are missing, who may speak for one, and whether an approval holds. Pure: the key and the time are
handed in, and nothing here reads what somebody typed (tools.rules.words.conversation does)."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from tools.values.manifest import Part
from tools.values.plan import Approval, Change, Plan
from tools.values.trouble import RequestProblem
from tools.values.value import canonical, same

OPERATOR = "operator"
CONFIRM = "confirm "
"""Before the name of a part, or of what is taken away: what is typed is `confirm <digest> <name>`."""
MINUTES_FOR_ONE_ROLE = 30
DAYS_FOR_SEVERAL_ROLES = 3
PREFIX_DIGITS_MIN = 8

Roles = Mapping[str, tuple[str, ...]]
"""Principal → roles, as the roles file has it."""


def window(roles: int) -> timedelta:
    """How long a plan waits for its approvals."""
    return timedelta(minutes=MINUTES_FOR_ONE_ROLE) if roles <= 1 else timedelta(days=DAYS_FOR_SEVERAL_ROLES)


def wanted_roles(extra: Iterable[tuple[str, str]], sensitive: Iterable[tuple[str, str]] = ()) -> tuple[tuple[str, str], ...]:
    """(role, reason), each role once: those that the policy asks for. Where it asks for none, the operator's own, and then each
    sensitive part, as (part, reason), is confirmed once more by itself."""
    wanted: dict[str, str] = {}
    for role, reason in extra:
        wanted.setdefault(role, reason)
    if not wanted:
        wanted[OPERATOR] = "Every plan is approved by a person before anything is changed."
        wanted |= {f"{CONFIRM}{part}": reason for part, reason in sensitive}
    return tuple(wanted.items())


def roles_to_take_away(
    made_by: Iterable[tuple[str, str]], asked: Iterable[tuple[str, str]], production: Iterable[str]
) -> tuple[tuple[str, str], ...]:
    """(role, reason) for what removes or replaces: at least those that its making needed, those that the policy asks for by now, and of
    each part in production its name, typed."""
    wanted: dict[str, str] = {}
    for role, reason in (*made_by, *asked):
        wanted.setdefault(role, reason)
    if not wanted:
        wanted = dict(wanted_roles(()))
    named = {f"{CONFIRM}{name.lower()}": f"It is production: {name} and all that is on it are gone for good." for name in production}
    return tuple({**wanted, **named}.items())


def name_to_type(part: Part, changes: Iterable[Change] = ()) -> str:
    """What a part in production is called, by who takes it away: the first of what a change lets go of, its first machine, or its first
    thing in the cloud. Empty elsewhere."""
    if part.needs.text("environment") != "production":
        return ""
    called = {change.address: change.name for change in changes}
    let_go = [called[address] for address in part.lets_go if address in called]
    in_cloud = [name for _, name in part.cloud.names if name] if part.cloud else []
    return next(iter([*let_go, *(machine.name for machine in part.machines), *in_cloud]), part.label)


def people(roles: Iterable[tuple[str, str]]) -> int:
    """How many have to be asked: a confirmation is the operator's own second word."""
    return sum(not role.startswith(CONFIRM) for role, _ in roles)


def may_give(plan: Plan, approvals: Iterable[Approval], principal: str, held: tuple[str, ...] | None) -> tuple[str, ...]:
    """The missing roles that this person may approve as. `held` as `role_speaking` would have it; None: one operator, alone."""
    missing = missing_roles(plan, approvals)
    if held is None:
        return missing
    if asked_by(plan, principal) and any(role != OPERATOR and not role.startswith(CONFIRM) for role, _ in plan.approvals):
        return ()
    return tuple(role for role in missing if _speaks_for(plan, role, held))


def _speaks_for(plan: Plan, role: str, held: tuple[str, ...]) -> bool:
    """A part is confirmed by whoever may approve the plan, and by nobody who may not."""
    return role in held or (role.startswith(CONFIRM) and bool({OPERATOR, *(name for name, _ in plan.approvals)}.intersection(held)))


def assert_may_begin(plan: Plan, approvals: Iterable[Approval], principal: str, held: tuple[str, ...] | None) -> None:
    """Everybody has approved, and the run is still to begin: whoever was asked, or was the last to approve, may say so again."""
    asked = {OPERATOR, *(role for role, _ in plan.approvals)}
    if held is None or asked.intersection(held) or principal in {one.principal for one in approvals}:
        return
    raise RequestProblem(
        "You do not hold a role that this plan asks for.",
        f"{_listed(role for role, _ in plan.approvals)} approved it; {principal} holds {_listed(held) or 'no role'}.",
        "Ask one of them to approve it again: then its run begins.",
    )


def asked_by(plan: Plan, principal: str) -> bool:
    """A provider of logins may spell one person in two ways: `Alice@example.org` is alice@example.org."""
    return principal.casefold() == plan.requester.casefold()


def waits_for(plan: Plan, requester: str, held: tuple[str, ...] | None) -> tuple[str, ...]:
    """The roles that somebody else than the requester has to speak for."""
    own = may_give(plan, (), requester, held)
    return tuple(role for role in missing_roles(plan, ()) if role not in own and not role.startswith(CONFIRM))


def reply(shown: str, role: str) -> str:
    """What is typed to approve as a role, or to confirm a part."""
    return f"confirm {shown} {role.removeprefix(CONFIRM)}" if role.startswith(CONFIRM) else f"approve {shown} as {role}"


def missing_roles(plan: Plan, approvals: Iterable[Approval]) -> tuple[str, ...]:
    given = {approval.role for approval in approvals}
    return tuple(role for role, _ in plan.approvals if role not in given)


def roles_held(principal: str, roles: Roles, single_operator: bool) -> tuple[str, ...]:
    """On loopback one person works alone and holds every role that the roles file names, besides `operator`."""
    if single_operator:
        return tuple(sorted({OPERATOR}.union(*roles.values())))
    return tuple(sorted(set(roles.get(principal, ()))))


def role_speaking(plan: Plan, approvals: Iterable[Approval], principal: str, roles: Roles, said: str | None, single_operator: bool) -> str:
    """The role this approval is given in. Raises RequestProblem when it cannot be given."""
    approvals = tuple(approvals)
    shown = plan.digest[:12]
    wanted = tuple(role for role, _ in plan.approvals)
    missing = missing_roles(plan, approvals)
    held = roles_held(principal, roles, single_operator)
    # A policy that asks for nobody else leaves the plan to whoever asked for it.
    of_others = any(role != OPERATOR and not role.startswith(CONFIRM) for role in wanted)
    if not single_operator and asked_by(plan, principal) and of_others:
        raise RequestProblem(
            "Somebody else has to approve this.",
            f"{principal} asked for it, and nobody approves what they asked for themselves.",
            f"Still to approve: {_listed(missing)}. Ask one of them to say approve {shown}.",
        )
    if said is not None:
        role = said.strip().lower()
        if role not in wanted:
            raise RequestProblem(
                "That role is not asked for.",
                f"This plan is approved as {_listed(wanted)}, not as {role}.",
                _how(shown, missing),
            )
        if role not in missing:
            raise RequestProblem("That role has approved already.", f"{role} approved this plan before.", _how(shown, missing))
        if not _speaks_for(plan, role, held):
            raise RequestProblem(
                "You do not hold that role.",
                f"{principal} does not hold {'a role that this plan asks for' if role.startswith(CONFIRM) else f'the role {role}'}.",
                _ask(OPERATOR if role.startswith(CONFIRM) else role),
            )
        return role
    mine = tuple(role for role in missing if role in held)
    if not mine and missing and all(role.startswith(CONFIRM) for role in missing):
        raise RequestProblem("A part is still to be confirmed.", "The plan itself is approved.", _how(shown, missing))
    if not mine:
        raise RequestProblem(
            "You do not hold a role that is missing.",
            f"Still to approve: {_listed(missing)}; {principal} holds {_listed(held) or 'no role'}.",
            _ask(missing[0]) if missing else "Nothing is missing: the run has begun.",
        )
    if OPERATOR in mine:
        return OPERATOR
    if len(mine) > 1 or (mine and asked_by(plan, principal)):
        raise RequestProblem("Say which role speaks.", f"You hold {_listed(mine)}.", _how(shown, mine))
    return mine[0]


def digits(typed: str) -> str:
    """The first digits of a plan's digest as typed. Raises RequestProblem when they cannot be such."""
    found = typed.strip().lower()
    if not PREFIX_DIGITS_MIN <= len(found) <= 64 or any(letter not in "0123456789abcdef" for letter in found):
        raise RequestProblem(
            "That is not a digest.",
            f"A plan is named by at least the first {PREFIX_DIGITS_MIN} digits of its digest, 0 to 9 and a to f.",
            "Copy them from the last line of the plan.",
        )
    return found


def signed(approval: Approval, key: bytes) -> Approval:
    return approval.model_copy(update={"signature": signature(approval, key)})


def signature(approval: Approval, key: bytes) -> str:
    content = {name: said for name, said in approval.said().items() if name != "signature"}
    return hmac.new(key, canonical(content), "sha256").hexdigest()


def assert_holds(plan: Plan, approvals: Iterable[Approval], key: bytes, at: datetime) -> None:
    """At the moment the run begins, and again just before Terraform applies: every role, this digest, a true signature, in time."""
    approvals = tuple(approvals)
    for approval in approvals:
        if approval.plan_digest != plan.digest or not same(approval.signature, signature(approval, key)):
            raise RequestProblem(
                "An approval does not hold.",
                f"The approval as {approval.role} is not for this plan, or was changed after it was given.",
                "Nothing was done. Ask for a new plan and approve that.",
            )
        if at > approval.expires_at:
            raise RequestProblem(
                "An approval has expired.",
                f"The approval as {approval.role} held until {_spoken(approval.expires_at)}.",
                "Nothing was done. Ask for the plan again and approve the new one.",
            )
    missing = missing_roles(plan, approvals)
    if missing:
        raise RequestProblem("An approval is missing.", f"Still to approve: {_listed(missing)}.", _how(plan.digest[:12], missing))


def assert_open(plan: Plan, status: str, at: datetime) -> None:
    """The plan may still be approved."""
    if status == "used":
        raise RequestProblem(
            "This plan was approved already.",
            "Each plan is approved once, and its run has begun.",
            "Say status to see how its run goes, or ask for something new.",
        )
    if status == "void":
        raise RequestProblem(
            "This plan is void.",
            "It was cancelled, or a later plan took its place.",
            "Approve the latest plan, or ask for a new one.",
        )
    if at > plan.expires_at:
        raise RequestProblem(
            "This plan has expired.",
            f"It could be approved until {_spoken(plan.expires_at)}; the world may have changed since.",
            "Say plan again for a new one.",
        )


def _listed(roles: Iterable[str]) -> str:
    return ", ".join(roles)


def _how(shown: str, roles: tuple[str, ...]) -> str:
    return " or ".join(reply(shown, role) for role in roles) + "." if roles else "Nothing is missing."


def _ask(role: str) -> str:
    return f"Ask somebody who holds the role {role}, or have it entered in the roles file."


def _spoken(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} {time.tzname() or ''}".strip()
