"""The chat validator: a model that hears what a message says. Nothing that was not typed gets past it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, get_args

from tools.capabilities import Capability, catalogue
from tools.rules.names.text import fold
from tools.values.conversation import Conversation
from tools.values.effects import Hear
from tools.values.events import Said
from tools.values.request import Edit, Edits
from tools.values.trouble import RequestProblem

from ..models import OFFLINE, model_for
from ..stage import Speaker, TypedTool, prompt
from ..state import Turn

_EDIT = {
    "type": "object",
    "properties": {
        "do": {"type": "string", "enum": list(get_args(Edit.model_fields["do"].annotation))},
        **{name: {"type": "string"} for name in ("item", "name", "value", "quote")},
    },
    "required": ["do", "quote"],
}
_SCHEMA = {
    "type": "object",
    "properties": {"edits": {"type": "array", "items": _EDIT}, "asks": {"type": "boolean"}},
    "required": ["edits"],
}


TELL_ALL = "Call once more, with all the edits of the message, and these facts where it says them."
CHOICES_MAX = 16
"""Of one fact that a model is told; of more, those that the message names."""


def spoken_of(now: Conversation, by_rule: Edits) -> list[Capability]:
    """The services that the request has already, or in which the rules heard the message; of the others a model sees the titles first."""
    able = catalogue()
    names = {item.capability for item in now.request.items} | {edit.name for edit in by_rule.edits if edit.do == "add"}
    return [able[name] for name in sorted(names & able.keys())]


def wanted_by(capabilities: Sequence[Capability], text: str) -> dict[str, list[str]]:
    """Facts of these services by who wants them, each once, and those that every service wants: a prompt is paid for by the word."""
    said, everyone = fold(text), tuple(catalogue().values())
    common = frozenset.intersection(*(frozenset(one.name for one in able.WANTED) for able in everyone))
    by_fact: dict[str, list[str]] = {}
    for capability in (*capabilities, everyone[0]):
        for wanted in capability.WANTED:
            if wanted.name not in common and capability not in capabilities:
                continue
            named = (choice for choice, words in wanted.choices if any(fold(word) in said for word in (choice, *words)))
            choices = [choice for choice, _ in wanted.choices] if len(wanted.choices) <= CHOICES_MAX else list(named)
            names = by_fact.setdefault(f"{wanted.name} [{'|'.join(choices)}]" if choices else wanted.name, [])
            names.append("all" if wanted.name in common else capability.NAME)
    groups: dict[str, list[str]] = {}
    for fact, names in by_fact.items():
        groups.setdefault(", ".join(dict.fromkeys(names)), []).append(fact)
    return groups


def titled(capability: Capability) -> str:
    """Its name, and what its title says besides."""
    own = capability.NAME.split("_")
    more = [word for word in re.findall(r"\w+", capability.TITLE) if fold(word) not in own]
    return f"{capability.NAME} ({' '.join(more)})" if more else capability.NAME


def facts_of(now: Conversation, text: str, by_rule: Edits) -> dict[str, Any]:
    """What the prompt says of the request so far, and of what may be asked for."""
    context = {"request": now.request.said(), "asked": now.asked}
    return {
        "titles": [titled(one) for one in catalogue().values()],
        "wanted": wanted_by(spoken_of(now, by_rule), text),
        "context": json.dumps(context, ensure_ascii=False),
    }


def untold(proven: Edits, now: Conversation, by_rule: Edits, text: str) -> str:
    """The facts of services that a model added by their titles alone; empty when there are none."""
    told = {one.NAME for one in spoken_of(now, by_rule)}
    more = [catalogue()[edit.name] for edit in proven.edits if edit.do == "add" and edit.name not in told]
    return "; ".join(f"{names}: {', '.join(facts)}" for names, facts in wanted_by(more, text).items()) if more else ""


class EditRequest(TypedTool):
    def __init__(self) -> None:
        super().__init__("edit_request", "Reports what the operator's message changes of the request.", _SCHEMA, Hear)

    def read(self, turn: Turn, args: dict[str, Any]) -> Said:
        turn.heard_partly, problem = turn.talk.prove(said_in(args))
        if problem is not None:
            raise problem
        facts = untold(turn.heard_partly, turn.talk.now, turn.talk.hear_by_rule(), turn.talk.text)
        if facts and not turn.refused[self.name]:
            raise RequestProblem("It has facts of its own.", facts, TELL_ALL)
        return turn.talk.said(turn.heard_partly, offline=False)

    def by_rule(self, turn: Turn) -> Said:
        return turn.talk.said(turn.heard_partly, offline=turn.model == OFFLINE)


def said_in(args: dict[str, Any]) -> Edits:
    return Edits.model_validate({name: args[name] for name in ("edits", "asks") if name in args})


class ChatValidator(Speaker):
    def __init__(self) -> None:
        super().__init__(
            name="chat_validator",
            description="Hears what is asked for.",
            model=model_for("fast"),
            prompt=prompt(__package__),
            tool=EditRequest(),
            speaks_on=Hear,
        )

    def facts(self, turn: Turn) -> dict[str, Any]:
        return facts_of(turn.talk.now, turn.talk.text, turn.talk.hear_by_rule())

    def question(self, turn: Turn) -> str:
        return turn.talk.text
