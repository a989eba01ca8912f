"""Models by role, from configuration; and the offline model, which stands in when there is no key: then the rules answer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from typing import Literal

from google.adk.models import BaseLlm, Gemini
from google.adk.models._capabilities import LlmCapabilities
from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from google.genai import types

from .world import the_settings

Role = Literal["fast", "pro"]
RETRIES_MAX = 2
OFFLINE = "offline/rules"
"""The name of the offline model."""


class OfflineModel(BaseLlm):
    """No model: it gets the same prompts as any other, and calls the tool without saying anything, for which the rules then speak."""

    model: str = OFFLINE

    @property
    def capabilities(self) -> LlmCapabilities:
        return LlmCapabilities(output_schema_and_tools=True)

    async def generate_content_async(self, llm_request: LlmRequest, stream: bool = False) -> AsyncGenerator[LlmResponse, None]:
        tool = next(iter(llm_request.tools_dict))
        message = next((p.text for c in llm_request.contents for p in c.parts or [] if p.text), "")
        count = tokens(f"{llm_request.config.system_instruction or ''}{message}{_declared(llm_request)}")
        yield LlmResponse(
            content=types.Content(role="model", parts=[types.Part(function_call=types.FunctionCall(name=tool, args={}))]),
            finish_reason=types.FinishReason.STOP,
            usage_metadata=types.GenerateContentResponseUsageMetadata(prompt_token_count=count, total_token_count=count),
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


def _declared(request: LlmRequest) -> str:
    return "".join(tool.model_dump_json(exclude_none=True) for tool in request.config.tools or [] if isinstance(tool, types.Tool))
