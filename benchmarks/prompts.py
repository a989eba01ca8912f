"""Until `adk run` takes the first word, against the smallest agent that ADK can run."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pexpect

from benchmarks.bench import Bench
from benchmarks.chat import ROOT
from benchmarks.rows import Row, median, spread

RATIO_MAX = 1.3
PROMPT = r"\[user\]: ?"
SECONDS_MAX = 60
BARE_AGENT = '''"""The smallest agent: one model that says one word."""

from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm, LlmResponse
from google.genai import types


class Word(BaseLlm):
    async def generate_content_async(self, llm_request, stream=False):
        yield LlmResponse(content=types.Content(role="model", parts=[types.Part(text="Yes.")]))


root_agent = LlmAgent(name="bare", model=Word(model="word"))
'''


def prompt(bench: Bench) -> Iterator[Row]:
    floor_agent = bench.folder / "agents" / "bare"
    floor_agent.mkdir(parents=True, exist_ok=True)
    (floor_agent / "__init__.py").write_text("from . import agent\n")
    (floor_agent / "agent.py").write_text(BARE_AGENT)
    ours, floors = [], []
    for number in range(bench.times + 1):
        floor = _until_prompt(floor_agent, bench.environment)
        own = _until_prompt(ROOT / "agents" / "provisioner", bench.environment)
        if number:  # The first of each fills the machine's caches.
            floors.append(floor)
            ours.append(own)
    yield Row("until the first prompt", median(ours), "s", median(floors), "an agent of one word", RATIO_MAX, spread(ours))


def _until_prompt(agent: Path, environment: Mapping[str, str]) -> float:
    adk = str(Path(sys.executable).with_name("adk"))
    began = time.time()
    chat = pexpect.spawn(
        adk,
        ["run", "--in_memory", str(agent)],
        env=dict(environment),  # type: ignore[arg-type]
        encoding="utf-8",
        timeout=SECONDS_MAX,
        dimensions=(50, 200),
    )
    try:
        # A machine's first `adk` asks whether it may report its use; that one is not counted.
        if chat.expect([PROMPT, r"Enable telemetry\?.*: "]) == 1:
            chat.sendline("n")
            chat.expect(PROMPT)
        seconds = time.time() - began
        chat.sendline("exit")
        chat.expect(pexpect.EOF)
        return seconds
    except (pexpect.TIMEOUT, pexpect.EOF):
        raise SystemExit(f"`adk run {agent}` showed no prompt: {chat.before}") from None
    finally:
        chat.close(force=True)
