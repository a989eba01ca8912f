"""The chat validator: a model that hears what a message says. Nothing that was not typed gets past it."""

from __future__ import annotations

import json
from typing import Any, get_args

from tools.capabilities import catalogue
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
        now = turn.talk.now
        context = {"request": now.request.said(), "asked": now.asked}
        return {"capabilities": tuple(catalogue().values()), "context": json.dumps(context, ensure_ascii=False)}

    def question(self, turn: Turn) -> str:
        return turn.talk.text
