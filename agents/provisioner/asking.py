"""A model asked by itself: its one tool, until a call is taken or the tries are used up. It is apart from a speaker, an agent of ADK's in a
conversation with a ledger; this needs neither."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.adk.models import BaseLlm
from google.adk.models.llm_request import LlmRequest
from google.genai import types

from .stage import TRIES_MAX, TypedTool, is_bounded

Judge = Callable[[dict[str, Any]], str]
"""What is wrong with a call's arguments, in words; empty: it is taken."""


async def ask(model: BaseLlm, system: str, question: str, tool: TypedTool, judge: Judge) -> int:
    """How often it was asked. Raises whatever the model's library does, and ConnectionError where it says that it failed."""
    contents = [types.Content(role="user", parts=[types.Part(text=question)])]
    config = types.GenerateContentConfig(temperature=0.0, system_instruction=system)
    for number in range(1, TRIES_MAX + 1):
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
            return number
        problem = judge(call.args or {})
        if not problem:
            return number
        answer = types.Part.from_function_response(name=tool.name, response={"problem": problem})
        answer.function_response.id = call.id  # type: ignore[union-attr]
        contents += [types.Content(role="model", parts=[types.Part(function_call=call)]), types.Content(role="user", parts=[answer])]
    return TRIES_MAX
