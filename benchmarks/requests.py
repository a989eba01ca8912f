"""From a complete request to the plan on the screen, against the same Terraform commands by hand; and what the models were asked on the
way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from benchmarks import bare
from benchmarks.bench import Bench
from benchmarks.chat import Turn
from benchmarks.prompts import first_answer_seconds
from benchmarks.rows import Row, median, spread

RATIO_MAX, OWN_SECONDS_MAX = 1.5, 0.5
PARTS, PARTS_RATIO_MAX, PARTS_TIMES_MAX = 10, 1.3, 2
CALLS_MAX, TOKENS_MAX = 2, 4_000
FLOOR = "init, validate, plan, show"
_numbers = count(1)


def machine_request(bench: Bench) -> Iterator[Row]:
    yield from _request(bench, "postgresql")


def workspace_request(bench: Bench) -> Iterator[Row]:
    yield from _request(bench, "data_workspace")


def parts_request(bench: Bench) -> Iterator[Row]:
    """Of ten parts, each with a state of its own. By hand they are planned one after another, as a person would."""
    machines = (f"a Debian VM called part-{n:02d} with {1 + n % 2} cores, {n} GB memory and {10 + n} GB disk" for n in range(1, PARTS + 1))
    sentence = f"development, network 20: {', '.join(machines)}"
    both = [_ask_and_plan(bench, sentence) for _ in range(min(bench.times, PARTS_TIMES_MAX))]
    seconds = [turn.seconds for turn, _ in both]
    floor = median([floor for _, floor in both])
    yield Row(f"{PARTS} parts: request to plan shown", median(seconds), "s", floor, f"{FLOOR} of each", PARTS_RATIO_MAX, spread(seconds))


def _request(bench: Bench, capability: str) -> Iterator[Row]:
    from tools.capabilities import catalogue

    if capability not in catalogue():
        raise SystemExit(f"There is no capability {capability} in tools/capabilities yet.")
    sentence = catalogue()[capability].EXAMPLES[0]
    first, first_floor = _ask_and_plan(bench, sentence)
    turns, floors = [], []
    for _ in range(bench.times):
        turn, floor = _ask_and_plan(bench, sentence)
        turns.append(turn)
        floors.append(floor)
    seconds = [turn.seconds for turn in turns]
    named = f"{capability}: request to plan shown"
    yield Row(named, median(seconds), "s", median(floors), FLOOR, RATIO_MAX, spread(seconds))
    yield Row(
        f"{capability}: of it Berth's own code",
        median([turn.own_seconds() for turn in turns]),
        "s",
        limit=OWN_SECONDS_MAX,
        note="the whole without the time in which Terraform ran or the world was asked",
    )
    yield Row(
        f"{named}, first of a process",
        first.seconds,
        "s",
        first_floor + first_answer_seconds(bench),
        f"{FLOOR}, and the first answer of a bare agent",
        RATIO_MAX,
        note=f"opens the world, loads its libraries; once. Without the bare agent {first.seconds / first_floor:.2f} x",
    )


def _ask_and_plan(bench: Bench, sentence: str) -> tuple[Turn, float]:
    turn = asyncio.run(_ask(bench, sentence))
    floor = 0.0
    for part in bare.parts_of(bench.run_folder(turn.planned_run)):
        copy = bare.copy_written(part, _fresh(bench))
        floor += bare.run(bench.recorder.bare, bare.PLANNING, copy, bench.terraform_environment(copy))
    return turn, floor


async def _ask(bench: Bench, sentence: str) -> Turn:
    """One request in a conversation of its own; its plan is voided, so that the next one finds the same world."""
    session = await bench.agents.begin()
    turn = await bench.agents.say(session, sentence)
    assert turn.digest
    await bench.agents.say(session, "no")
    return turn


def _fresh(bench: Bench) -> Path:
    return bench.folder / "bare" / str(next(_numbers))


def model_calls(bench: Bench) -> Iterator[Row]:
    """Of every capability there is, by the offline model, which reads the same prompts as any other."""
    from tools.capabilities import catalogue

    for name, capability in catalogue().items():
        turn = asyncio.run(_ask(bench, capability.EXAMPLES[0]))
        yield Row(f"{name}: calls of a model", len(turn.tokens), "calls", limit=CALLS_MAX)
        yield Row(
            f"{name}: tokens in all",
            sum(turn.tokens),
            "tokens",
            limit=TOKENS_MAX,
            note=" + ".join(map(str, turn.tokens)) + "; four characters a token",
        )
