"""Models by role, from configuration; and the offline model, which answers when there is no key.

The offline model reads the same prompt as any other and calls the same tools; behind it is the rule-based reader.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncGenerator
from typing import Any, Literal

from google.adk.models import BaseLlm, Gemini
from google.adk.models._capabilities import LlmCapabilities
from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from google.genai import types

from tools.capabilities import catalogue
from tools.values.heard import Heard

from .world import the_settings

Role = Literal["fast", "pro"]
RETRIES_MAX = 2
OFFLINE = "offline/rules"
"""The name of the offline model."""


class OfflineModel(BaseLlm):
    """Rules in a model's place: hears by the rule-based reader, and proposes the first candidate that has not been tried."""

    model: str = OFFLINE

    @property
    def capabilities(self) -> LlmCapabilities:
        return LlmCapabilities(output_schema_and_tools=True)

    async def generate_content_async(self, llm_request: LlmRequest, stream: bool = False) -> AsyncGenerator[LlmResponse, None]:
        instruction = str(llm_request.config.system_instruction or "")
        message = next((p.text for c in llm_request.contents for p in c.parts or [] if p.text), "")
        call = _hear(instruction, message) if "hear" in llm_request.tools_dict else _propose(instruction)
        part = types.Part(function_call=call)
        used = types.GenerateContentResponseUsageMetadata(
            prompt_token_count=tokens(instruction + message + _declared(llm_request)),
            candidates_token_count=tokens(json.dumps(call.args)),
        )
        used.total_token_count = (used.prompt_token_count or 0) + (used.candidates_token_count or 0)
        yield LlmResponse(
            content=types.Content(role="model", parts=[part]),
            finish_reason=types.FinishReason.STOP,
            usage_metadata=used,
            model_version=self.model,
        )


def tokens(text: str) -> int:
    """A rough count: four characters a token, as for English text."""
    return (len(text) + 3) // 4


def model_for(role: Role) -> BaseLlm:
    """The configured model of a role; Gemini when there is a key and no name; the offline model when there is neither."""
    settings = the_settings()
    if settings is None:
        return OfflineModel()
    name = settings.model_fast if role == "fast" else settings.model_pro
    if not name and os.environ.get("GOOGLE_API_KEY"):
        name = settings.gemini_fast if role == "fast" else settings.gemini_pro
    if not name:
        return OfflineModel()
    return BoundedModel(model=name, inner=_online(name, settings.model_timeout_s), seconds_max=settings.model_timeout_s)


def _online(name: str, seconds_max: float) -> BaseLlm:
    if name.startswith("gemini-"):
        return Gemini(model=name, retry_options=types.HttpRetryOptions(attempts=RETRIES_MAX + 1, initial_delay=0.5))
    # Anything `provider/model` goes through LiteLLM: Anthropic, Azure, OpenAI, Ollama.
    try:
        import litellm  # noqa: F401 - ADK would load it within the first answer's time, and it takes seconds
        from google.adk.models.lite_llm import LiteLlm
    except ImportError:
        return MissingModel(model=name)
    return LiteLlm(model=name, num_retries=RETRIES_MAX, timeout=seconds_max)


class BoundedModel(BaseLlm):
    """A model that has so long to answer, retries included. Answers come whole: a tool call is of no use in pieces."""

    inner: BaseLlm
    seconds_max: float

    @property
    def capabilities(self) -> LlmCapabilities:
        return self.inner.capabilities

    async def generate_content_async(self, llm_request: LlmRequest, stream: bool = False) -> AsyncGenerator[LlmResponse, None]:
        # Left behind rather than awaited when it is late: a provider's library may take a cancellation for a fault and try again.
        asking = asyncio.ensure_future(self._ask(llm_request))
        done, _ = await asyncio.wait({asking}, timeout=self.seconds_max)
        if not done:
            asking.cancel()
            raise TimeoutError
        for answer in asking.result():
            yield answer

    async def _ask(self, llm_request: LlmRequest) -> list[LlmResponse]:
        return [answer async for answer in self.inner.generate_content_async(llm_request, stream=False)]


class MissingModel(BaseLlm):
    """A model whose library is not installed. It says so when it is asked, and the rules go on without it."""

    async def generate_content_async(self, llm_request: LlmRequest, stream: bool = False) -> AsyncGenerator[LlmResponse, None]:
        yield LlmResponse(error_code="NOT_INSTALLED", error_message="Install Berth with the extra `models`.")


_BLOCK = re.compile(r"```json\n(.*?)\n```", re.DOTALL)


def _context(instruction: str) -> dict[str, Any]:
    found = _BLOCK.findall(instruction)
    return dict(json.loads(found[-1])) if found else {}


def _hear(instruction: str, message: str) -> types.FunctionCall:
    from tools.rules.hearing.hear import hear  # its word lists are not loaded before the first message

    context = _context(instruction)
    so_far = Heard.model_validate(context["so_far"])
    heard = hear(message, catalogue(), so_far, tuple((c, f) for c, f in context["asked"]))
    return types.FunctionCall(name="hear", args=heard.model_dump(mode="json"))


def _propose(instruction: str) -> types.FunctionCall:
    context = _context(instruction)
    picks = []
    for part in context["parts"]:
        left = [c for c in part["candidates"] if f"{part['label']}:{c['id']}" not in context["tried"]] or part["candidates"]
        picks.append({"label": part["label"], "candidate": left[0]["id"], "because": "It ranks first by the rules."})
    return types.FunctionCall(name="propose", args={"picks": picks})


def _declared(request: LlmRequest) -> str:
    return "".join(tool.model_dump_json(exclude_none=True) for tool in request.config.tools or [] if isinstance(tool, types.Tool))
