"""The chat validator: a model that hears what a message says. Nothing that was not typed gets past it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, get_args

from tools.capabilities import Capability, catalogue
from tools.rules.names.text import fold
from tools.values.conversation import Conversation
from tools.values.effects import Hear
from tools.values.events import Said
from tools.values.request import Edit, Edits

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


CHOICES_MAX = 16
"""Of one fact that a model is told; of more, those that the message names."""


def wanted_by(capabilities: Sequence[Capability], text: str) -> dict[str, list[str]]:
    """Facts by the capabilities that want them, each once: a prompt is paid for by the word."""
    said = fold(text)
    by_fact: dict[str, list[str]] = {}
    for capability in capabilities:
        for wanted in capability.WANTED:
            named = (choice for choice, words in wanted.choices if any(fold(word) in said for word in (choice, *words)))
            choices = [choice for choice, _ in wanted.choices] if len(wanted.choices) <= CHOICES_MAX else list(named)
            fact = f"{wanted.name} [{'|'.join(choices)}]" if choices else wanted.name
            by_fact.setdefault(fact, []).append(capability.NAME)
    groups: dict[str, list[str]] = {}
    for fact, names in by_fact.items():
        groups.setdefault("all" if len(names) == len(capabilities) else ", ".join(names), []).append(fact)
    return groups


def facts_of(now: Conversation, text: str) -> dict[str, Any]:
    """What the prompt says of the request so far, and of what may be asked for."""
    context = {"request": now.request.said(), "asked": now.asked}
    able = tuple(catalogue().values())
    return {"capabilities": able, "wanted": wanted_by(able, text), "context": json.dumps(context, ensure_ascii=False)}


class EditRequest(TypedTool):
    def __init__(self) -> None:
        super().__init__("edit_request", "Reports what the operator's message changes of the request.", _SCHEMA, Hear)

    def read(self, turn: Turn, args: dict[str, Any]) -> Said:
        said = Edits.model_validate({name: args[name] for name in ("edits", "asks") if name in args})
        turn.heard_partly, problem = turn.talk.prove(said)
        if problem is not None:
            raise problem
        return turn.talk.said(turn.heard_partly, offline=False)

    def by_rule(self, turn: Turn) -> Said:
        return turn.talk.said(turn.heard_partly, offline=turn.model == OFFLINE)


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
        return facts_of(turn.talk.now, turn.talk.text)

    def question(self, turn: Turn) -> str:
        return turn.talk.text
