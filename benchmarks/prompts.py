"""Until `adk run` takes the first word, against the smallest agent that ADK can run."""

from __future__ import annotations

import subprocess
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


FIRST_ANSWER = """
import asyncio, time
from google.adk.runners import InMemoryRunner
from google.genai import types
from bare.agent import root_agent


async def answer():
    runner = InMemoryRunner(agent=root_agent, app_name="bare")
    session = await runner.session_service.create_session(app_name="bare", user_id="operator")
    began = time.perf_counter()
    message = types.Content(role="user", parts=[types.Part(text="Hello")])
    async for _ in runner.run_async(user_id="operator", session_id=session.id, new_message=message):
        pass
    print(time.perf_counter() - began)


asyncio.run(answer())
"""


def first_answer_seconds(bench: Bench) -> float:
    """What ADK itself takes to answer the first message of a process, by its smallest agent: most of it is loading itself."""
    folder = _bare_agent(bench).parent
    environment = {**bench.environment, "PYTHONPATH": str(folder)}
    ended = subprocess.run([sys.executable, "-c", FIRST_ANSWER], env=environment, capture_output=True, text=True, check=True)
    return float(ended.stdout)


def _bare_agent(bench: Bench) -> Path:
    agent = bench.folder / "agents" / "bare"
    agent.mkdir(parents=True, exist_ok=True)
    (agent / "__init__.py").write_text("from . import agent\n")
    (agent / "agent.py").write_text(BARE_AGENT)
    return agent


def prompt(bench: Bench) -> Iterator[Row]:
    floor_agent = _bare_agent(bench)
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
        env=dict(environment),
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
