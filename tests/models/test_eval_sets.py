"""The eval sets of ADK's that lie in benchmarks/data/adk: in step with the cases they are made of, and right by the rules alone.

`adk eval` itself needs packages that the lock does not hold; its loader, its events and its metric of tool calls are here.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from google.adk.evaluation.eval_metrics import EvalMetric, ToolTrajectoryCriterion
from google.adk.evaluation.evaluation_generator import EvaluationGenerator
from google.adk.evaluation.local_eval_sets_manager import load_eval_set_from_file
from google.adk.evaluation.trajectory_evaluator import TrajectoryEvaluator

from benchmarks import eval_sets
from benchmarks.bench import Bench, opened

BY_RULES = ("hearing", "refusing", "choosing")


def test_the_eval_sets_are_what_the_cases_say() -> None:
    assert {path.name: path.read_text() for path in eval_sets.FOLDER.iterdir()} == eval_sets.files()


@pytest.mark.parametrize(
    ("got", "wanted", "right"),
    [
        ("Understood: web server: staging, network 20, 3 machines.", "So far: 3 machines, staging.", True),
        ("So far: staging.", "So far: 3 machines, staging.", False),
        ("- **web server** (web server): number 3\n- for all: network 20", "- **web** (web server)", True),
        ("- **web server** (web server)\n- **db** (postgresql): users 40", "- **web** (web server)", False),
        ("Nothing is asked for yet.", "", True),
        ("- **db** (postgresql): users 40", "Nothing is asked for yet.", False),
        ("reply:\n\n    approve 0123456789ab\n", "approve <digest>", True),
        ("To plan this I still need:", "approve <digest>", False),
    ],
)
def test_an_answer_says_what_is_wanted(got: str, wanted: str, right: bool) -> None:
    assert eval_sets._says(got, wanted) is right


@pytest.mark.systems
def test_the_rules_alone_are_right_in_every_case(tmp_path: Path) -> None:
    criterion = ToolTrajectoryCriterion.model_validate(eval_sets.CONFIG["criteria"]["tool_trajectory_avg_score"])
    calls = TrajectoryEvaluator(eval_metric=EvalMetric(metric_name="tool_trajectory_avg_score", criterion=criterion))
    with opened(tmp_path, 1) as bench:
        wrong = asyncio.run(_wrong(bench, calls))
    assert wrong == []


async def _wrong(bench: Bench, calls: TrajectoryEvaluator) -> list[str]:
    found = []
    for name in BY_RULES:
        for case in load_eval_set_from_file(str(eval_sets.FOLDER / f"{name}.evalset.json"), name).eval_cases:
            assert case.conversation is not None
            session = await bench.agents.begin()
            for turn in case.conversation:
                async for _ in bench.agents.runner.run_async(user_id="operator", session_id=session, new_message=turn.user_content):
                    pass
            stored = await bench.agents.runner.session_service.get_session(app_name="provisioner", user_id="operator", session_id=session)
            actual = EvaluationGenerator.convert_events_to_eval_invocations(stored.events)
            metric = EvalMetric(metric_name="request_as_wanted")
            scores = (
                calls.evaluate_invocations(actual, case.conversation),
                eval_sets.request_as_wanted(metric, actual, case.conversation, None),
            )
            found += [case.eval_id for score in scores if score.overall_score != 1.0]
    return found
