"""The two kinds of agent: a Stage has its works done and says what comes of them; a Speaker lets a model call its one typed tool.

Both are silent unless what is to be done next is theirs. Neither decides anything, nor knows who runs it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from functools import cache, partial
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Any

from google.adk.agents import BaseAgent, LlmAgent
from google.adk.agents.callback_context import CallbackContext
from google.adk.agents.invocation_context import InvocationContext
from google.adk.events import Event, EventActions
from google.adk.models.base_llm import BaseLlm
from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.tool_context import ToolContext
from google.genai import types
from pydantic import ValidationError

from tools.clients.tracing import carried
from tools.values.effects import Follow, Hear, Work, Works
from tools.values.events import Event as Happening
from tools.values.trouble import Trouble

from .models import OFFLINE
from .state import Turn, conversation_of, turn_of
from .turns import AT_ONCE, WORK, places

if TYPE_CHECKING:
    from tools.pipeline.talk import Talk

log = logging.getLogger("berth.agents")

CALLS_MAX = 5
"""Calls of a model by one speaker in one turn, whatever it does with them."""
CALL_DEPTH_MAX = 12
CALL_CHARACTERS_MAX = 50_000
"""Of one call: far more than a request of the longest message."""
CALLS_AT_ONCE_MAX = 8
NAME_CHARACTERS_MAX = 100
TRIES_MAX = 3
"""Calls of a tool that may be refused before rules settle it."""

FOLLOW_LOOK_SECONDS = 0.25
FOLLOW_SECONDS_MAX = 24 * 3600.0
GATHERING_SECONDS = 0.3
"""For which lines are gathered into one event, after the first of a stage, which is shown at once."""


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
    """No model: carries out what is next, if it is one of its works, in a worker thread, and says what comes of it."""

    works: tuple[Works, ...] = ()
    """Besides these, any stage does what is done at once."""

    def artifacts(self, talk: Talk) -> dict[str, types.Part]:
        """What the web UI may show beside the words, by file name, once it has done its work."""
        return {}

    async def _run_async_impl(self, ctx: InvocationContext) -> AsyncGenerator[Event, None]:
        turn = turn_of(ctx.invocation_id)
        if turn is None or not turn.talk.is_for(*self.works):
            return
        while turn.talk.is_for(*self.works):
            speech = _followed(turn.talk, ctx) if turn.talk.is_next(Follow) else _aloud(turn.talk, self.works, ctx.invocation_id)
            async for text in speech:
                yield says(self.name, ctx, text)
        actions = EventActions()
        if ctx.artifact_service is not None and not turn.talk.is_overtaken:
            save = partial(ctx.artifact_service.save_artifact, app_name=ctx.app_name, user_id=ctx.user_id, session_id=ctx.session.id)
            load = partial(ctx.artifact_service.load_artifact, app_name=ctx.app_name, user_id=ctx.user_id, session_id=ctx.session.id)
            for name, part in (await asyncio.to_thread(self.artifacts, turn.talk)).items():
                if await load(filename=name) != part:
                    actions.artifact_delta[name] = await save(filename=name, artifact=part)
        if actions.artifact_delta:
            yield says(self.name, ctx, "", actions)


async def _followed(talk: Talk, ctx: InvocationContext) -> AsyncGenerator[str, None]:
    """What a run says as it goes on. Nobody waits for it: others speak in this conversation meanwhile, and no thread is held."""
    from tools.pipeline.talk import in_words

    loop, followed = asyncio.get_running_loop(), talk.begin_following()
    places.give(ctx.invocation_id)
    seen, going = followed.after, True
    try:
        for _ in range(int(FOLLOW_SECONDS_MAX / FOLLOW_LOOK_SECONDS)):
            going, seen, texts = await loop.run_in_executor(AT_ONCE, talk.look, followed.run_id, seen)
            if texts:
                yield _joined(list(texts))
            if not going:
                break
            await asyncio.sleep(FOLLOW_LOOK_SECONDS)
        await places.take(conversation_of(ctx), ctx.invocation_id)
        await loop.run_in_executor(AT_ONCE, talk.end_following, followed.run_id, seen, places.lease(ctx.invocation_id))
    except Trouble as trouble:
        yield in_words(trouble)


async def _aloud(talk: Talk, works: tuple[Works, ...], invocation_id: str) -> AsyncGenerator[str, None]:
    """What is said while the works are done in another thread, gathered."""
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[str | None]()

    def say(text: str | None) -> None:
        loop.call_soon_threadsafe(lines.put_nowait, text)

    def work() -> None:
        try:
            talk.go_on(say, *works)
        except StopIteration as ended:  # asyncio cannot hand it on, and the turn would wait for ever
            raise RuntimeError("something that is always there was not found") from ended
        finally:
            say(None)

    working = (WORK if talk.is_slow else AT_ONCE).submit(carried(work))
    gathering_seconds = 0.0
    ended = False
    try:
        while not ended:
            together, ended = await _gathered(lines, gathering_seconds)
            if together:
                yield _joined(together)
            gathering_seconds = GATHERING_SECONDS
        await asyncio.wrap_future(working)
    finally:
        if not working.cancel() and not working.done():
            places.give_after(invocation_id, working)


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
    paragraphs = groupby(texts, lambda text: "\n" in text)
    return "\n\n".join(("\n\n" if is_long else "  \n").join(group) for is_long, group in paragraphs)


class Speaker(LlmAgent):
    """A model that speaks by calling one typed tool. What it says besides is not shown, and what it cannot settle, rules do."""

    speaks_on: Work | type[Hear]

    def __init__(self, *, prompt: str, tool: TypedTool, **fields: Any) -> None:
        super().__init__(
            include_contents="none",
            tools=[tool],
            before_model_callback=self._ask,
            after_model_callback=_take_calls,
            disallow_transfer_to_parent=True,
            disallow_transfer_to_peers=True,
            generate_content_config=types.GenerateContentConfig(
                temperature=0.0,
                tool_config=types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.ANY)),
            ),
            **fields,
        )
        self._prompt = prompt
        self._tool = tool

    def facts(self, turn: Turn) -> dict[str, Any]:
        """What the prompt's template needs, by name."""
        raise NotImplementedError

    def question(self, turn: Turn) -> str:
        """The one user message that the model sees."""
        raise NotImplementedError

    def _ask(self, callback_context: CallbackContext, llm_request: LlmRequest) -> LlmResponse | None:
        turn = turn_of(callback_context.invocation_id)
        assert turn is not None
        turn.asked[self.name] += 1
        if turn.asked[self.name] > CALLS_MAX:
            return LlmResponse(error_code="TOO_MANY_CALLS", error_message="")
        llm_request.config.system_instruction = rendered(self._prompt, self.facts(turn))
        own = [c for c in llm_request.contents if any(p.function_call or p.function_response for p in c.parts or [])]
        llm_request.contents = [types.Content(role="user", parts=[types.Part(text=self.question(turn))]), *own]
        return None

    async def _run_async_impl(self, ctx: InvocationContext) -> AsyncGenerator[Event, None]:
        turn = turn_of(ctx.invocation_id)
        if turn is None or not turn.talk.is_next(self.speaks_on):
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
            yield says(self.name, ctx, f"The model did not answer ({kind_of(problem)}), so the rules go on without it.")
        if turn.talk.is_next(self.speaks_on):
            turn.talk.answer(await asyncio.to_thread(self._tool.by_rule, turn))


@cache
def _template(text: str) -> Any:
    from jinja2 import Environment, StrictUndefined  # it takes as long to load as a person to look up

    strict = Environment(undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)  # noqa: S701 - prose for a model
    return strict.from_string(text)


def rendered(text: str, facts: dict[str, Any]) -> str:
    return str(_template(text).render(facts))


def kind_of(problem: BaseException) -> str:
    """The kind of a model's failure without its text, which may hold a key or an address."""
    code = getattr(problem, "code", None) or getattr(problem, "status_code", None)
    return f"HTTP {code}" if isinstance(code, int) else type(problem).__name__


TOO_LARGE = {"left_out": f"The call had more than {CALL_CHARACTERS_MAX} characters, or was nested too deep, so nothing of it was read."}


def _take_calls(callback_context: CallbackContext, llm_response: LlmResponse) -> LlmResponse | None:
    """A model has no voice but its tool: its prose could pass for ours. Of what it calls no more is looked at, or kept in a session, than
    any call of use has."""
    if llm_response.content is None:
        return None
    calls = [part.function_call for part in llm_response.content.parts or [] if part.function_call]
    for call in calls[:CALLS_AT_ONCE_MAX]:
        call.name = (call.name or "")[:NAME_CHARACTERS_MAX]
        if not is_bounded(call.args):
            call.args = dict(TOO_LARGE)
    kept = [types.Part(function_call=call) for call in calls[:CALLS_AT_ONCE_MAX]]
    llm_response.content = types.Content(role="model", parts=kept)
    llm_response.custom_metadata = llm_response.grounding_metadata = None
    return llm_response


def is_bounded(value: object) -> bool:
    """Looked at without going down into it, and given up as soon as it is too large."""
    left, levels = CALL_CHARACTERS_MAX, [value]
    for _ in range(CALL_DEPTH_MAX):
        below: list[object] = []
        for one in levels:
            left -= len(one) if isinstance(one, str) else 8
            if left < 0:
                return False
            if isinstance(one, dict):
                below += [*one.keys(), *one.values()]
            elif isinstance(one, list | tuple):
                below += one
        levels = below
        if not levels:
            return True
        if len(levels) > left:
            return False
    return False


class TypedTool(BaseTool):
    """The one tool of a speaker. A call that does not fit is answered with the problem in words, and the model tries again."""

    def __init__(self, name: str, description: str, schema: dict[str, Any], *called_for: Work | type[Hear]) -> None:
        super().__init__(name=name, description=description)
        self._schema = schema
        self._called_for = called_for

    def _get_declaration(self) -> types.FunctionDeclaration:
        return types.FunctionDeclaration(name=self.name, description=self.description, parameters_json_schema=self._schema)

    def read(self, turn: Turn, args: dict[str, Any]) -> Happening:
        """What the model says, or raises RequestProblem (or ValueError) with what is wrong with it."""
        raise NotImplementedError

    def by_rule(self, turn: Turn) -> Happening:
        """What the rules say, when a model said nothing of use."""
        raise NotImplementedError

    async def run_async(self, *, args: dict[str, Any], tool_context: ToolContext) -> dict[str, str]:
        turn = turn_of(tool_context.invocation_id)
        if turn is None:
            return {"problem": "There is no message to work on."}
        try:
            if args == TOO_LARGE:
                raise ValueError(TOO_LARGE["left_out"])
            happened = await asyncio.to_thread(self.by_rule if turn.model == OFFLINE else partial(self.read, args=args), turn)
            # A model may call several times at once: the first call that fits counts.
            if any(turn.talk.is_next(one) for one in self._called_for):
                turn.talk.answer(happened)
        except (Trouble, ValidationError, ValueError, KeyError, TypeError, AttributeError) as problem:
            turn.refused[self.name] += 1
            if turn.refused[self.name] < TRIES_MAX:
                return {"problem": brief(problem)}
        # The call itself is the model's whole answer: it is not asked to put it into prose.
        tool_context.actions.skip_summarization = True
        return {"taken": "yes"}


def brief(problem: Exception) -> str:
    if isinstance(problem, ValidationError):
        return "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in problem.errors()[:5])
    if isinstance(problem, KeyError | TypeError | AttributeError):
        return f"The call has not the form that the tool's schema asks for ({problem!s:.200})."
    return str(problem)[:600]


def prompt(package: str) -> str:
    """The Markdown prompt that lies beside a speaker."""
    return files(package).joinpath("prompt.md").read_text(encoding="utf-8")
