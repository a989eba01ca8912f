"""`berth hear --model`: the configured model reads each message with the prompt, the tool and the judge of a conversation, and nothing else
of a conversation happens. It is apart from the chat validator, which is an agent of ADK's and needs a ledger."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from tools.capabilities import catalogue
from tools.cli.hear import print_heard
from tools.rules.hearing.proving import prove
from tools.values.conversation import Conversation
from tools.values.request import Edits

from .asking import ask
from .chat_validator import listener
from .models import model_for
from .stage import brief, kind_of, prompt, rendered


def hear(text: str, now: Conversation, by_rule: Edits) -> Edits:
    """What the model says of this message and can be proven; nothing when there is no model, or it fails."""
    try:
        return asyncio.run(heard_by_model(text, now, by_rule))
    except Exception as problem:  # a model may fail in as many ways as there are providers
        print(f"The model did not answer ({kind_of(problem)}), so the rules read it.", file=sys.stderr)
        return Edits()


async def heard_by_model(text: str, now: Conversation, by_rule: Edits) -> Edits:
    proven, told = Edits(), False

    def judge(args: dict[str, Any]) -> str:
        nonlocal proven, told
        proven, problem = _judge(args, text, now, by_rule)
        facts = "" if problem or told else listener.untold(proven, now, by_rule, text)
        told = True
        return f"{facts}. {listener.TELL_ALL}" if facts else problem

    system = rendered(prompt(listener.__package__), listener.facts_of(now, text, by_rule))
    await ask(model_for("fast"), system, text, listener.EditRequest(), judge)
    return proven


def _judge(args: dict[str, Any], text: str, now: Conversation, by_rule: Edits) -> tuple[Edits, str]:
    """(what of a call stands in words that were typed, what is wrong with the rest)."""
    try:
        said = listener.said_in(args)
    except ValueError as problem:
        return Edits(), brief(problem)
    proven, dropped = prove(said, (*now.typed, text), now.request, catalogue(), by_rule)
    return (
        proven,
        f"The message does not say {', '.join(edit.name or edit.item for edit in dropped)} in the words quoted." if dropped else "",
    )


if __name__ == "__main__":
    print_heard(sys.argv[1:], hear)
