"""The chat validator: a model that hears what a message says. Nothing that was not typed gets past it."""

from __future__ import annotations

import json
from typing import Any

from tools.capabilities import catalogue
from tools.values.effects import Hear
from tools.values.events import Said
from tools.values.heard import Heard

from ..models import OFFLINE, model_for
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


class HearTool(TypedTool):
    def __init__(self) -> None:
        super().__init__("hear", "Reports what the operator said.", _SCHEMA, Hear)

    def read(self, turn: Turn, args: dict[str, Any]) -> Said:
        turn.heard_partly, problem = turn.talk.prove(Heard.model_validate(args))
        if problem is not None:
            raise problem
        return turn.talk.said(turn.heard_partly, offline=False)

    def by_rule(self, turn: Turn) -> Said:
        return turn.talk.said(turn.talk.hear_by_rule(turn.heard_partly), offline=turn.model == OFFLINE)


class ChatValidator(Speaker):
    def __init__(self) -> None:
        super().__init__(
            name="chat_validator",
            description="Hears what is asked for.",
            model=model_for("fast"),
            prompt=prompt(__package__),
            tool=HearTool(),
            speaks_on=Hear,
        )

    def facts(self, turn: Turn) -> dict[str, Any]:
        now = turn.talk.now
        context = {"so_far": (now.heard or Heard()).model_dump(mode="json"), "asked": now.asked}
        return {"capabilities": tuple(catalogue().values()), "context": json.dumps(context, ensure_ascii=False)}

    def question(self, turn: Turn) -> str:
        return turn.talk.text
