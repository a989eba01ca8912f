"""What the operator is told: values in, Markdown out. Nothing is decided here, and no model's prose is among it except the reasons it gave.

The web UI renders Markdown, tables and Mermaid; a terminal shows the same text, which stays readable there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from tools.rules.plans.approving import OPERATOR, reply
from tools.rules.words.conversation import Phase
from tools.values.manifest import Manifest
from tools.values.offer import Offer
from tools.values.plan import Change, Estimate, Plan
from tools.values.requirements import Field, Needs, Origin, Requirements
from tools.values.review import Finding, Review, Severity
from tools.values.run import Progress, Run
from tools.values.snapshot import Snapshot
from tools.values.wanted import Wanted

DIGEST_SHOWN = 12
"""Digits of a digest that are shown and typed: enough to name one plan, few enough to type."""

OFFLINE = "No model is configured, so I read by rules: known requests work in full. (Set GOOGLE_API_KEY to let Gemini read.)"
EMPTY = "There was nothing in that message. Tell me what you need, for example: `I need a PostgreSQL database for 100 concurrent users, production, on network 20`."
NO_RUN = "Nothing is running in this conversation. Say `list` to see every run."
NOTHING_TO_APPROVE = "There is no plan to approve. Tell me what you need, and I will make one."
DROPPED = "I have dropped that request, and nothing was changed. Tell me what you need instead."
NOTHING_TO_CANCEL = "There is nothing to cancel."
NOTHING_TO_RETRY = "There is nothing to try again. Tell me what you need."
NOTHING_TO_REMOVE = "This conversation has made nothing that could be removed. Say `list` to see every run, then `remove <run>`."
NOTHING_TO_LEAVE = "No run of this conversation has stopped half-way, so there is nothing to leave."
RUN_UNDER_WAY = "A run is under way. Say `status` to see it, `follow` to watch it, or `cancel` to stop it; then tell me again."
RUN_STOPPED = "The run has stopped half-way. Reply `retry`, `roll back` or `leave` first; then tell me what should be different."
CANCELLING = "I asked the run to stop. Terraform gets the time to finish what it is in the middle of, and keeps its state. Say `status` to see where it stopped."
CANCELLED = "The plan is void, and nothing was changed. Tell me what you need instead."
RETRYING = "I am trying again."
READ_ONLY = "This server is read-only."
READ_ONLY_NEXT = "Start it on 127.0.0.1, or put a gate in front of it."


class Known(Protocol):
    """What is told of a capability."""

    TITLE: str
    EXAMPLES: tuple[str, ...]
    WANTED: tuple[Wanted, ...]


def one_plan_at_a_time(plan_digest: str) -> str:
    return (
        f"A plan awaits your approval, and there is one at a time. Reply `approve {plan_digest[:DIGEST_SHOWN]}` or `no` first, then ask for "
        "the other. Nothing was changed."
    )


def too_long(bytes_max: int) -> str:
    return f"That message is longer than {bytes_max // 1024} KiB, so I did not read it. Say what you need in a few sentences; nothing was lost."


def help_text(capabilities: Sequence[Known]) -> str:
    rows = "\n".join(f"- **{c.TITLE}**: “{c.EXAMPLES[0]}”" for c in capabilities if c.EXAMPLES)
    return (
        f"Say what you need in your own words. I know:\n\n{rows}\n\n"
        "I show a plan before anything changes. You approve exactly that plan by `approve <digest>`; `no` drops it, and saying what "
        "should be different makes a new one. At any time: `status`, `list`, `follow`, `cancel`, `retry`, `roll back`, `leave`, `remove it`."
    )


def not_heard(text: str, capabilities: Sequence[Known]) -> str:
    example = next((c.EXAMPLES[0] for c in capabilities if c.EXAMPLES), "")
    return (
        f"I found nothing in “{_short(text)}” that I can build or change. I know {_listed(c.TITLE for c in capabilities)}. "
        f"Say for example: `{example}`. Say `help` for more."
    )


def requirements(needed: Requirements) -> str:
    return "\n\n".join(
        f"**{_title(part.capability)}**: this is what I take from your words.\n\n{_fields(part)}" for part in needed.parts
    )


def unheard(phrases: Sequence[str]) -> str:
    """Of the message that was just heard; empty when every word was of use."""
    if not phrases:
        return ""
    return f"\n\n**Not used:** {_listed(f'“{_short(p)}”' for p in phrases)}. I know no setting that these words are for; say them another way if they matter."


def questions(needed: Requirements) -> str:
    """One message for everything that is missing or cannot be taken."""
    lines: list[str] = []
    for part in needed.parts:
        lines += [f"- {problem}" for problem in part.problems]
        lines += [
            f"- {missing.question}" + (f" ({_suggested(missing.suggestions)})" if missing.suggestions else "")
            for missing in part.missing
        ]
    known = [f"{_label(f)} = {_amount(f)}" for part in needed.parts for f in part.fields if f.origin is Origin.SAID]
    so_far = f"So far: {', '.join(known)}.\n\n" if known else ""
    opening = "Before I can plan:" if any(p.problems for p in needed.parts) else "To plan this I still need:"
    return f"{so_far}{opening}\n\n" + "\n".join(lines) + "\n\nAnswer in one message, in your own words."


def snapshot(seen: Snapshot) -> str:
    if seen.target == "proxmox":
        online = sum(node.online for node in seen.nodes)
        running = sum(guest.running for guest in seen.guests)
        what = f"{online} of {len(seen.nodes)} nodes answer, {running} guests run"
        sources = sorted({node.load.source for node in seen.nodes if node.load})
        history = f" History: {_listed(sources[:3])}." if sources else " There is no history."
    else:
        what = f"{len(seen.regions)} regions, {len(seen.groups)} resource groups, {len(seen.quotas)} quotas read"
        history = ""
    missed = "".join(f"\n- Could not be seen: {p.subject}. {p.detail} {p.remedy}".rstrip() for p in seen.problems[:8])
    more = f"\n- and {len(seen.problems) - 8} more." if len(seen.problems) > 8 else ""
    return f"Looked at {_host(seen.endpoint)} at {seen.taken_at:%H:%M:%S} UTC: {what}.{history}{missed}{more}"


def offer(offered: Offer) -> str:
    texts = []
    for part in offered.parts:
        first, *others = part.candidates
        then = f" Runner-up: {others[0].title} ({others[0].score:.2f})." if others else " Nothing else fits."
        left_out = "".join(f"\n- Left out: {e.subject}. {e.reason}" for e in part.exclusions[:5])
        texts.append(
            f"{len(part.candidates)} choice{'s fit' if others else ' fits'}. Best: {first.title} ({first.score:.2f}); {_reasons(first.reasons[:3])}.{then}{left_out}"
        )
    return "\n\n".join(texts)


def nothing_fits(offered: Offer) -> str:
    lines = []
    for part in offered.parts:
        if part.candidates:
            continue
        lines.append(f"Nothing fits for the {_title(part.capability)}:")
        lines += [f"- {e.subject}: {e.reason}" for e in part.exclusions[:10]]
        if part.counter_offer:
            lines.append(f"\n{part.counter_offer}")
    return "\n".join(lines) + "\n\nSay what should be different."


def manifest(made: Manifest) -> str:
    chosen = "; ".join(f"{part.candidate} because {_lower(part.because)}" for part in made.parts)
    by = "By rule" if made.made_by == "rule" else f"By {made.made_by}, within the offer"
    return f"{by}: {chosen.rstrip('.')}."


def review(judged: Review) -> str:
    if judged.clean:
        notes = _findings(f for f in judged.findings)
        return f"Reviewed by code: {len(judged.passed)} checks hold." + (f"\n{notes}" if notes else "")
    return f"The review found faults:\n{_findings(judged.findings)}"


def refinement(made: Manifest, rounds: int) -> str:
    return f"Refinement {rounds}: {'; '.join(f'{part.name} now {part.candidate}' for part in made.parts)}."


def settled_by_rule(made: Manifest) -> str:
    return (
        f"The rounds are used up, so the rules choose: {'; '.join(f'{part.name} now {part.candidate}' for part in made.parts)}."
    )


def refinement_dropped(rounds: int) -> str:
    return f"Refinement {rounds} was dropped, because a check that held before would fail."


def not_clean(judged: Review, offered: Offer, rounds: int, instead: str = "") -> str:
    counter = " ".join(text for text in (instead, *(part.counter_offer for part in offered.parts)) if text)
    tried = (
        f"After {rounds} refinement{'s' if rounds != 1 else ''} it still has faults"
        if rounds
        else "It has faults that no other choice mends"
    )
    return (
        f"{tried}, so I make no plan:\n{_findings(judged.findings)}\n\n"
        + (f"{counter}\n\n" if counter else "")
        + "Say what should be different."
    )


def plan(made: Plan, composed: Manifest | None, offered: Offer | None, judged: Review | None) -> str:
    """Everything that the approval covers, built by code from terraform's own plan."""
    digest = made.digest[:DIGEST_SHOWN]
    counts = _counts(change for part in made.parts for change in part.changes)
    sections = [f"## Plan {digest}: {counts}"]
    if composed is not None:
        rows = _without_repeats([(r.name, r.kind, r.where, r.size, r.because) for part in composed.parts for r in part.resources])
        sections.append(_table(("what", "kind", "where", "size", "why"), rows))
    else:
        rows2 = [(c.name, c.action, c.address) for part in made.parts for c in part.changes]
        sections.append(_table(("what", "action", "terraform address"), rows2))
    if changed := [
        (c.name, c.action, "; ".join(c.details)) for p in made.parts for c in p.changes if c.action in ("update", "replace")
    ]:
        sections.append(_table(("what", "action", "changes"), changed))
    if restarts := [c.name for p in made.parts for c in p.changes if c.restarts]:
        sections.append(f"**Restart:** {_listed(restarts)} is shut down and started again by this change.")
    if composed is not None and offered is not None:
        sections.append(_arithmetic(composed, offered))
        sections.append(_diagram(composed))
    if made.kind == "remove":
        sections.append("What is stored there is lost. Nothing else is touched.")
    sections.append(_estimate(made.estimate))
    # What the review said of building it does not judge its removal.
    if judged is not None and judged.findings and made.kind != "remove":
        sections.append(f"**Review:** \n{_findings(judged.findings)}")
    providers = sorted({f"{name} {version}" for part in made.parts for name, version in part.providers})
    sections.append(
        f"Made by terraform's own plan with {_listed(providers) or 'built-in resources'}; run folder `runs/{made.run_id}`. "
        f"The plan expires at {made.expires_at:%Y-%m-%d %H:%M} UTC."
    )
    roles = [f"- {role}: {reason}" for role, reason in made.approvals]
    if len(made.approvals) > 1:
        sections.append("**Approvals needed:**\n" + "\n".join(roles))
        replies = "\n".join(f"    {reply(digest, role)}" for role, _ in made.approvals)
        sections.append(f"To approve exactly this plan, each of them replies:\n\n{replies}")
    else:
        if made.approvals[0][0] != OPERATOR:
            sections.append("**Approval needed:**\n" + "\n".join(roles))
        sections.append(f"To approve exactly this plan, reply:\n\n    approve {digest}")
    sections.append("`no` drops it. Saying what should be different makes a new plan.")
    return "\n\n".join(section for section in sections if section)


def approve_how(digest: str) -> str:
    return f"An approval names the plan it covers. To approve the plan above, reply:\n\n    approve {digest[:DIGEST_SHOWN]}"


def approved(made: Plan, run_id: str) -> str:
    return (
        f"Approved: plan {made.digest[:DIGEST_SHOWN]}. Run `{run_id}` starts; it goes on if you close this window. "
        "Say `follow` to watch it again, `cancel` to stop it."
    )


def approved_partly(made: Plan, missing_roles: Sequence[str]) -> str:
    digest = made.digest[:DIGEST_SHOWN]
    replies = "\n".join(f"    {reply(digest, role)}" for role in missing_roles)
    return f"Recorded. The run starts when every role has approved. Still missing: {_listed(missing_roles)}.\n\n{replies}"


def progress(line: Progress) -> str:
    return f"`{line.at:%H:%M:%S}` {line.part} · {line.step}: {line.text}"


def done(ran: Run, guide: str) -> str:
    return f"Run `{ran.id}` is done.\n\n{guide}"


def removed(ran: Run) -> str:
    return f"Run `{ran.id}` is removed: everything it had made is gone, and nothing else was touched."


def left(run_id: str, half_made: Sequence[str] = ()) -> str:
    stands = "".join(f"\n- {sentence}" for sentence in half_made)
    return f"Run `{run_id}` stays as it is. What exists is in its receipt; say `remove {run_id}` when it may go.{stands}"


def stopped(ran: Run) -> str:
    failed = [step for step in ran.steps if step.status == "failed"]
    reasons = (
        "\n".join(f"- {step.part}, {step.name}: {step.summary} {step.remedy}".rstrip() for step in failed)
        or "- It was cancelled."
    )
    return (
        f"Run `{ran.id}` has stopped:\n{reasons}\n\nWhat was made so far is kept. Reply `retry` to go on from there, `roll back` to plan its "
        "removal, or `leave` to keep it as it is."
    )


def status(phase: Phase, plan_digest: str | None) -> str:
    if phase is Phase.AWAITING and plan_digest:
        return f"A plan awaits your approval: `approve {plan_digest[:DIGEST_SHOWN]}`."
    return {
        Phase.LISTENING: "Nothing is under way. Tell me what you need.",
        Phase.ASKING: "I am waiting for your answer to my last question.",
        Phase.DRAFTING: "A plan could not be made yet. Say `retry`, or what should be different.",
    }.get(phase, f"This conversation is {phase.value}.")


def run(ran: Run) -> str:
    rows = [(step.part, step.name, step.status, step.summary) for step in ran.steps]
    return f"Run `{ran.id}` is {ran.status}.\n\n" + _table(("part", "step", "status", "what"), rows)


def runs(all_runs: Sequence[Run]) -> str:
    if not all_runs:
        return "There are no runs yet. Tell me what you need."
    return _table(("run", "status", "plan"), [(r.id, r.status, r.plan_digest[:DIGEST_SHOWN]) for r in all_runs])


def answer(question: str, offered: Offer | None, composed: Manifest | None, judged: Review | None) -> str:
    """What the values themselves say to a question: sizes with their sources, the ranking with its reasons, the arithmetic."""
    if composed is None:
        return (
            "I can explain a plan once there is one: every size, its source, and why it goes where. Say `help` for what I know."
        )
    texts = [
        f"**{part.name}**: {part.candidate}, because {_lower(part.because)}\n\n{_fields(part.needs)}" for part in composed.parts
    ]
    if offered is not None:
        for part_offer in offered.parts:
            ranking = "\n".join(
                f"- {c.title}: {c.score:.2f}; {_reasons(c.reasons[:4])}; bound by {c.binding or 'nothing near'}"
                for c in part_offer.candidates
            )
            left_out = "".join(f"\n- left out: {e.subject}: {e.reason}" for e in part_offer.exclusions[:6])
            texts.append(f"Ranking:\n{ranking}{left_out}")
        texts.append(_arithmetic(composed, offered))
    if judged is not None:
        texts.append(f"The review made {len(judged.passed)} checks that hold.")
    return "\n\n".join(texts)


def _fields(part: Needs) -> str:
    rows = []
    for field in part.fields:
        if field.origin is Origin.SAID:
            basis = f"you said “{_short(field.words)}”"
        else:
            basis = f"{field.origin.value}: {field.because}"
        if field.low is not None and field.high is not None:
            basis += f" (range {field.low:g} to {field.high:g})"
        if field.source is not None:
            basis += f" [{field.source.title}, {field.source.date}]"
        rows.append((_label(field), _amount(field), basis))
    return _table(("requirement", "value", "from"), rows)


def _arithmetic(composed: Manifest, offered: Offer) -> str:
    rows = []
    for part, part_offer in zip(composed.parts, offered.parts, strict=False):
        chosen = next((c for c in part_offer.candidates if c.id == part.candidate), None)
        for line in chosen.sums if chosen else ():
            terms = " + ".join(f"{_number(amount)} {name}" for name, amount in line.terms)
            sign = "≤" if line.holds else ">"
            rows.append((line.subject, f"{terms} = {_number(line.total)}", f"{sign} {_number(line.limit)} {line.unit}"))
    return f"**Arithmetic**\n\n{_table(('of', 'sum', 'limit'), rows)}" if rows else ""


def _diagram(composed: Manifest) -> str:
    lines = ["flowchart LR"]
    for i, part in enumerate(composed.parts):
        places: dict[str, str] = {}
        for j, resource in enumerate(part.resources[:24]):
            known = resource.where in places
            place = places.setdefault(resource.where, f"w{i}_{len(places)}")
            at = place if known else f'{place}["{_mermaid(resource.where)}"]'
            label = "<br/>".join(_mermaid(text) for text in (resource.name, resource.size) if text)
            lines.append(f'    {at} --> r{i}_{j}["{label}"]')
        if len(part.resources) > 24:
            lines.append(f'    more{i}["and {len(part.resources) - 24} more"]')
    return "```mermaid\n" + "\n".join(lines) + "\n```"


def _estimate(estimated: Estimate) -> str:
    if not estimated.lines:
        return ""
    if estimated.currency:
        rows = [
            (line.subject, line.path, f"{line.quantity:,.6g} {line.unit}", _money(line.amount, estimated.currency, line.note))
            for line in estimated.lines
        ]
        total = f"**Cost a month: {_money(estimated.total, estimated.currency, 'not priced')}** (list prices of {estimated.captured_at}, without tax and discounts)"
        table = _table(("what", "path", "quantity", "a month"), rows)
    else:
        total = "**Cost:** what it takes of the cluster"
        table = _table(
            ("what", "of", "amount"),
            [(x.subject, x.path, f"{_number(x.quantity)} {x.unit} {x.note}".strip()) for x in estimated.lines],
        )
    assumed = "".join(f"\n- Assumed: {text}" for text in estimated.assumptions)
    saved = "".join(f"\n- Could save: {text}" for text in estimated.savings)
    return f"{total}\n\n{table}{assumed}{saved}"


def _money(amount: float | None, currency: str, note: str) -> str:
    return f"{amount:,.2f} {currency}" if amount is not None else (note or "not priced")


def _findings(findings: Iterable[Finding]) -> str:
    words = {Severity.ERROR: "Fault", Severity.WARNING: "Warning", Severity.NOTE: "Note"}
    return "\n".join(f"- {words[f.severity]} ({f.check}, {f.subject}): {f.detail} {f.remedy}".rstrip() for f in findings)


def _without_repeats(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Ten machines for one reason give it once."""
    shown: list[tuple[str, ...]] = []
    for i, row in enumerate(rows):
        shown.append((*row[:-1], "as above") if i and row[-1] == rows[i - 1][-1] else row)
    return shown


def _counts(changes: Iterable[Change]) -> str:
    words = {"create": "to create", "update": "to change", "replace": "to replace", "delete": "to remove"}
    counted: dict[str, int] = {}
    for change in changes:
        counted[change.action] = counted.get(change.action, 0) + 1
    return ", ".join(f"{counted[action]} {words[action]}" for action in words if action in counted) or "no changes"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Names may come from a cluster that others write to: nothing in them may end the cell or begin markup."""
    return re.sub(r"[\r\n|]", " ", text).replace("<", "‹").replace(">", "›").replace("`", "'").strip()


def _mermaid(text: str) -> str:
    return re.sub(r"[^\w .,:/()+-]", " ", text).strip()


def _label(field: Field) -> str:
    return field.name.replace("_", " ")


def _amount(field: Field) -> str:
    value = field.value
    if field.name == "site_name" and value == "_":
        return "any"
    if field.name == "public_keys" and isinstance(value, tuple):
        return ", ".join(key.split()[-1] if len(key.split()) > 2 else _short(key, 30) for key in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    shown = ", ".join(value) if isinstance(value, tuple) else (_number(value) if isinstance(value, int | float) else value)
    unit = field.unit.removesuffix("s") if value == 1 and field.unit in ("machines", "workers") else field.unit
    return f"{shown} {unit}".strip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def _suggested(suggestions: Sequence[str]) -> str:
    return "for example " + ", ".join(f"`{s}`" for s in suggestions)


def _listed(items: Iterable[str]) -> str:
    *first, last = list(items) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _reasons(reasons: Iterable[str]) -> str:
    """Sentences in a row become one, divided by semicolons."""
    return "; ".join(reason.rstrip(". ") for reason in reasons)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _title(capability: str) -> str:
    return capability.replace("_", " ")


def _host(endpoint: str) -> str:
    return re.sub(r"^https?://", "", endpoint).rstrip("/")


def _short(text: str, characters_max: int = 120) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= characters_max else flat[: characters_max - 1] + "…"
