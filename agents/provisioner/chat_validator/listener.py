"""The chat validator: a model that hears what a message says. Nothing that was not typed gets past it."""

from __future__ import annotations

import json
from typing import Any

from tools.capabilities import catalogue
from tools.rules.words.conversation import Kind
from tools.values.heard import Heard
from tools.values.trouble import RequestProblem

from .. import hearing
from ..models import is_offline, model_for
from ..stage import Speaker, TypedTool, prompt
from ..state import Turn

_FACT = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "value": {"type": "string"}, "quote": {"type": "string"}},
    "required": ["name", "value", "quote"],
}
_SCHEMA = {
    "type": "object",
    "properties": {
        "asks": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"capability": {"type": "string"}, "facts": {"type": "array", "items": _FACT}},
                "required": ["capability", "facts"],
            },
        }
    },
    "required": ["asks"],
}


class Hear(TypedTool):
    def __init__(self) -> None:
        super().__init__("hear", "Reports what the operator said.", _SCHEMA)

    def take(self, turn: Turn, args: dict[str, Any]) -> None:
        heard = Heard.model_validate(args)
        unknown = sorted({ask.capability for ask in heard.asks} - set(catalogue()))
        if unknown:
            raise RequestProblem(
                "A capability is unknown.", f"There is no capability {unknown[0]!r}.", f"Use one of {', '.join(catalogue())}."
            )
        proven, dropped = hearing.prove(heard, _typed(turn), catalogue())
        turn.heard_partly = proven
        if dropped:
            names = ", ".join(sorted({fact.name for fact in dropped}))
            raise RequestProblem(
                "A quote was never typed.",
                f"The message does not say {names} in the words quoted.",
                "Copy the words, or leave it out.",
            )
        turn.heard_now = proven


class ChatValidator(Speaker):
    def __init__(self) -> None:
        super().__init__(
            name="chat_validator",
            description="Hears what is asked for.",
            model=model_for("fast"),
            prompt=prompt(__package__),
            tool=Hear(),
        )

    def wanted(self, turn: Turn) -> bool:
        turn.used_offline = is_offline(self.model)
        return turn.message.kind is Kind.WORDS and not turn.handled

    def facts(self, turn: Turn) -> dict[str, Any]:
        so_far = turn.chain.heard or Heard()
        context = {"so_far": so_far.model_dump(mode="json"), "asked": turn.chain.asked}
        return {"capabilities": tuple(catalogue().values()), "context": json.dumps(context, ensure_ascii=False)}

    def question(self, turn: Turn) -> str:
        return turn.message.text

    def settled(self, turn: Turn) -> bool:
        return turn.heard_now is not None

    def fall_back(self, turn: Turn) -> None:
        heard = hearing.hear(turn.message.text, catalogue(), turn.chain.heard or Heard(), turn.chain.asked)
        by_rule, _ = hearing.prove(heard, _typed(turn), catalogue())
        turn.heard_now = hearing.merge(by_rule, turn.heard_partly or Heard())


def _typed(turn: Turn) -> tuple[str, ...]:
    return (*turn.chain.typed, turn.message.text)
