"""The two kinds of agent: a Stage calls a function and says a sentence; a Speaker lets a model call its one typed tool.

Both are silent until the values they need exist. Neither knows who runs it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable
from functools import cache
from importlib.resources import files
from typing import Any

from google.adk.agents import BaseAgent, LlmAgent
from google.adk.agents.callback_context import CallbackContext
from google.adk.agents.invocation_context import InvocationContext
from google.adk.events import Event, EventActions
from google.adk.models import BaseLlm, LlmRequest, LlmResponse
from google.adk.tools import BaseTool, ToolContext
from google.genai import types
from pydantic import ValidationError

from tools.values.trouble import RequestProblem, Trouble, WorldProblem

from .models import is_offline
from .state import Turn, turn_of

log = logging.getLogger("berth.agents")

CALLS_MAX = 5
"""Calls of a model by one speaker in one turn, whatever it does with them."""
TRIES_MAX = 3
"""Calls of a tool that may be refused before rules settle it."""

GATHERING_SECONDS = 0.3
"""For which lines are gathered into one event, after the first of a stage, which is shown at once."""

Say = Callable[[str], None]


def says(author: str, context: InvocationContext, text: str, actions: EventActions | None = None) -> Event:
    content = types.Content(role="model", parts=[types.Part(text=text)]) if text else None
    return Event(
        author=author,
        invocation_id=context.invocation_id,
        branch=context.branch,
        content=content,
        actions=actions or EventActions(),
    )


class Stage(BaseAgent):
    """No model: needs some values, calls one function in a worker thread, stores what came of it, says a sentence."""

    def wanted(self, turn: Turn) -> bool:
        """The values it needs are there, and its own is not."""
        raise NotImplementedError

    def work(self, turn: Turn, say: Say) -> str:
        """Changes `turn.chain`; what it returns is said last. Runs outside the event loop."""
        raise NotImplementedError

    def artifacts(self, turn: Turn) -> dict[str, types.Part]:
        """What the web UI may show beside the words, by file name."""
        return {}

    async def _run_async_impl(self, ctx: InvocationContext) -> AsyncGenerator[Event, None]:
        turn = turn_of(ctx.invocation_id)
        if turn is None or not self.wanted(turn):
            return
        async for event in self._work_aloud(ctx, turn):
            yield event
        actions = EventActions()
        if ctx.artifact_service is not None:
            for name, part in self.artifacts(turn).items():
                actions.artifact_delta[name] = await ctx.artifact_service.save_artifact(
                    app_name=ctx.app_name, user_id=ctx.user_id, session_id=ctx.session.id, filename=name, artifact=part
                )
        if actions.artifact_delta:
            yield says(self.name, ctx, "", actions)
        for event in self.after(turn, ctx):
            yield event

    def after(self, turn: Turn, ctx: InvocationContext) -> list[Event]:
        """Events without words, such as the end of a loop."""
        return []

    async def _work_aloud(self, ctx: InvocationContext, turn: Turn) -> AsyncGenerator[Event, None]:
        loop, lines = asyncio.get_running_loop(), asyncio.Queue[str | None]()

        def say(text: str) -> None:
            loop.call_soon_threadsafe(lines.put_nowait, text)

        def work() -> str:
            try:
                return _in_words(lambda: self.work(turn, say), turn)
            finally:
                turn.save()
                loop.call_soon_threadsafe(lines.put_nowait, None)

        working = loop.run_in_executor(None, work)
        gathering_seconds = 0.0
        ended = False
        while not ended:
            together, ended = await _gathered(lines, gathering_seconds)
            if together:
                yield says(self.name, ctx, _joined(together))
            gathering_seconds = GATHERING_SECONDS
        if last := await working:
            yield says(self.name, ctx, last)


async def _gathered(lines: asyncio.Queue[str | None], seconds: float) -> tuple[list[str], bool]:
    """(what is said from the next line on and within so many seconds, whether that was all). The web UI lays its whole page out anew for
    each event, so a plan of thirty resources must not become sixty of them."""
    together: list[str] = []
    line = await lines.get()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while line is not None:
                together.append(line)
                line = await lines.get()
    return together, line is None


def _joined(texts: list[str]) -> str:
    """Single lines stand one below the other, in Markdown too; anything longer is a paragraph of its own."""
    return ("\n\n" if any("\n" in text for text in texts) else "  \n").join(texts)


def _in_words(work: Callable[[], str], turn: Turn) -> str:
    """Trouble of both kinds becomes a sentence, and the conversation goes on from where it was."""
    try:
        return work()
    except RequestProblem as problem:
        turn.handled = True
        return str(problem)
    except WorldProblem as problem:
        turn.handled = True
        again = "\n\nNothing is lost. Say `retry` to try again." if problem.retryable else "\n\nNothing is lost."
        return str(problem) + again


class Speaker(LlmAgent):
    """A model that speaks by calling one typed tool. What it says besides is not shown, and what it cannot settle, rules do."""

    def __init__(self, *, prompt: str, tool: TypedTool, **fields: Any) -> None:
        super().__init__(
            include_contents="none",
            tools=[tool],
            before_model_callback=self._ask,
            after_model_callback=_drop_prose,
            disallow_transfer_to_parent=True,
            disallow_transfer_to_peers=True,
            generate_content_config=types.GenerateContentConfig(
                temperature=0.0,
                tool_config=types.ToolConfig(
                    function_calling_config=types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.ANY)
                ),
            ),
            **fields,
        )
        self._prompt = prompt

    def wanted(self, turn: Turn) -> bool:
        raise NotImplementedError

    def facts(self, turn: Turn) -> dict[str, Any]:
        """What the prompt's template needs, by name."""
        raise NotImplementedError

    def question(self, turn: Turn) -> str:
        """The one user message that the model sees."""
        raise NotImplementedError

    def fall_back(self, turn: Turn) -> None:
        """Settles it by rule, when the model did not."""
        raise NotImplementedError

    def settled(self, turn: Turn) -> bool:
        raise NotImplementedError

    def _ask(self, callback_context: CallbackContext, llm_request: LlmRequest) -> LlmResponse | None:
        turn = turn_of(callback_context.invocation_id)
        assert turn is not None
        asked = turn.asked[self.name] = turn.asked.get(self.name, 0) + 1
        if asked > CALLS_MAX:
            return LlmResponse(error_code="TOO_MANY_CALLS", error_message="")
        llm_request.config.system_instruction = _rendered(self._prompt, self.facts(turn))
        own = [c for c in llm_request.contents if any(p.function_call or p.function_response for p in c.parts or [])]
        llm_request.contents = [types.Content(role="user", parts=[types.Part(text=self.question(turn))]), *own]
        return None

    async def _run_async_impl(self, ctx: InvocationContext) -> AsyncGenerator[Event, None]:
        turn = turn_of(ctx.invocation_id)
        if turn is None or not self.wanted(turn):
            return
        turn.model = self.model.model if isinstance(self.model, BaseLlm) else str(self.model)
        try:
            async for event in super()._run_async_impl(ctx):
                if event.error_code:
                    # ADK goes on with the next agent, as if nothing had happened (a block for safety, a quota).
                    yield says(self.name, ctx, f"The model did not answer ({event.error_code}), so the rules go on without it.")
                else:
                    yield event
        except Exception as problem:  # a model may fail in as many ways as there are providers; the request goes on without it
            log.warning("The model of %s failed: %s", self.name, type(problem).__name__)
            yield says(self.name, ctx, f"The model did not answer ({_kind_of(problem)}), so the rules go on without it.")
        if not self.settled(turn):
            await asyncio.to_thread(_in_words, lambda: self.fall_back(turn) or "", turn)
        await asyncio.to_thread(turn.save)


@cache
def _template(text: str) -> Any:
    from jinja2 import (
        Environment,
        StrictUndefined,
    )  # not before a model is asked: it takes as long to load as a person to look up

    strict = Environment(undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)  # noqa: S701 - prose for a model
    return strict.from_string(text)


def _rendered(text: str, facts: dict[str, Any]) -> str:
    return str(_template(text).render(facts))


def _kind_of(problem: BaseException) -> str:
    """The kind of a model's failure without its text, which may hold a key or an address."""
    code = getattr(problem, "code", None) or getattr(problem, "status_code", None)
    return f"HTTP {code}" if isinstance(code, int) else type(problem).__name__


def _drop_prose(callback_context: CallbackContext, llm_response: LlmResponse) -> LlmResponse | None:
    """A model has no voice but its tool: its prose could pass for ours."""
    if llm_response.content is None or not any(part.text for part in llm_response.content.parts or []):
        return None
    kept = [part for part in llm_response.content.parts or [] if part.function_call]
    llm_response.content = types.Content(role="model", parts=kept)
    return llm_response


class TypedTool(BaseTool):
    """The one tool of a speaker. A call that does not fit is answered with the problem in words, and the model tries again."""

    def __init__(self, name: str, description: str, schema: dict[str, Any]) -> None:
        super().__init__(name=name, description=description)
        self._schema = schema

    def _get_declaration(self) -> types.FunctionDeclaration:
        return types.FunctionDeclaration(name=self.name, description=self.description, parameters_json_schema=self._schema)

    def take(self, turn: Turn, args: dict[str, Any]) -> None:
        """Stores what the model says, or raises RequestProblem (or ValueError) with what is wrong with it."""
        raise NotImplementedError

    async def run_async(self, *, args: dict[str, Any], tool_context: ToolContext) -> dict[str, str]:
        turn = turn_of(tool_context.invocation_id)
        if turn is None:
            return {"problem": "There is no message to work on."}
        try:
            await asyncio.to_thread(self.take, turn, args)
        except (Trouble, ValidationError, ValueError) as problem:
            tries = turn.tries[self.name] = turn.tries.get(self.name, 0) + 1
            if tries < TRIES_MAX:
                return {"problem": _brief(problem)}
        # The call itself is the model's whole answer: it is not asked to put it into prose.
        tool_context.actions.skip_summarization = True
        return {"taken": "yes"}


def _brief(problem: Exception) -> str:
    if isinstance(problem, ValidationError):
        return "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in problem.errors()[:5])
    return str(problem)[:600]


def prompt(package: str) -> str:
    """The Markdown prompt that lies beside a speaker."""
    return files(package).joinpath("prompt.md").read_text(encoding="utf-8")


__all__ = ["Say", "Speaker", "Stage", "TypedTool", "is_offline", "prompt", "says"]
