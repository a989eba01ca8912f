"""`berth hear --model`: the configured model reads each message with the prompt, the tool and the judge of a conversation, and nothing else
of a conversation happens. It is apart from the chat validator, which is an agent of ADK's and needs a ledger."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from google.adk.models.llm_request import LlmRequest
from google.genai import types

from tools.capabilities import catalogue
from tools.cli import print_heard
from tools.rules.hearing.proving import prove
from tools.values.conversation import Conversation
from tools.values.request import Edits

from .chat_validator import listener
from .models import model_for
from .stage import TRIES_MAX, brief, is_bounded, kind_of, prompt, rendered


def hear(text: str, now: Conversation, by_rule: Edits) -> Edits:
    """What the model says of this message and can be proven; nothing when there is no model, or it fails."""
    try:
        return asyncio.run(_hear(text, now, by_rule))
    except Exception as problem:  # a model may fail in as many ways as there are providers
        print(f"The model did not answer ({kind_of(problem)}), so the rules read it.", file=sys.stderr)
        return Edits()


async def _hear(text: str, now: Conversation, by_rule: Edits) -> Edits:
    model, tool = model_for("fast"), listener.EditRequest()
    contents = [types.Content(role="user", parts=[types.Part(text=text)])]
    config = types.GenerateContentConfig(
        temperature=0.0, system_instruction=rendered(prompt(listener.__package__), listener.facts_of(now, text, by_rule))
    )
    proven = Edits()
    for number in range(TRIES_MAX):
        request = LlmRequest(model=model.model, contents=contents, config=config.model_copy())
        request.append_tools([tool])
        request.config.tool_config = types.ToolConfig(
            function_calling_config=types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.ANY)
        )
        answers = [one async for one in model.generate_content_async(request)]
        if failed := next((one.error_code for one in answers if one.error_code), None):
            raise ConnectionError(failed)
        call = next((part.function_call for one in answers if one.content for part in one.content.parts or [] if part.function_call), None)
        if call is None or not is_bounded(call.args):
            break
        proven, problem = _judge(call.args or {}, text, now, by_rule)
        if not problem and not number and (facts := listener.untold(proven, now, by_rule, text)):
            problem = f"{facts}. {listener.TELL_ALL}"
        if not problem:
            break
        answer = types.Part.from_function_response(name=tool.name, response={"problem": problem})
        answer.function_response.id = call.id  # type: ignore[union-attr]
        contents += [types.Content(role="model", parts=[types.Part(function_call=call)]), types.Content(role="user", parts=[answer])]
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
