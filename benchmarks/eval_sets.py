"""The cases of evals.yaml as eval sets for `adk eval`, and the metric that scores them. `python -m benchmarks.eval_sets` writes them.

An eval case is a conversation: the message, whose answer says what was understood, and `show request`, whose answer names the services.
What is expected is drawn from the facts of the case by Berth's own texts. What a choice is to have besides a plan, `make eval` scores.
"""

from __future__ import annotations

import json
import re

import yaml
from google.adk.evaluation.eval_case import EvalCase, IntermediateData, Invocation, InvocationEvents
from google.adk.evaluation.eval_metrics import EvalMetric
from google.adk.evaluation.eval_set import EvalSet
from google.adk.evaluation.evaluator import EvalStatus, EvaluationResult, PerInvocationResult
from google.genai import types

from benchmarks.evals import CASES, Case

FOLDER = CASES.parent / "adk"
SHOW = "show request"
PLANNED = "approve"
"""What a plan that is shown ends with, before its digest."""
TOOLS = {"hearing": ("edit_request",), "refusing": (), "choosing": ("edit_request", "propose")}
CONFIG = {
    "criteria": {
        "tool_trajectory_avg_score": {"threshold": 1.0, "match_type": "IN_ORDER", "ignore_args": True},
        "request_as_wanted": 1.0,
    },
    "custom_metrics": {"request_as_wanted": {"code_config": {"name": "benchmarks.eval_sets.request_as_wanted"}}},
}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, text in files().items():
        (FOLDER / name).write_text(text)


def files() -> dict[str, str]:
    """By name. `with_a_model` has what the rules alone do not hear. What they hear and a model should not is in none: Berth takes both."""
    sets: dict[str, list[EvalCase]] = {}
    for kind, cases in yaml.safe_load(CASES.read_text()).items():
        for number, case in enumerate(cases, 1):
            if case.get("by_rules", True):
                sets.setdefault(kind, []).append(_eval_case(kind, number, case))
            elif kind == "hearing":
                sets.setdefault("with_a_model", []).append(_eval_case(kind, number, case))
    made = {f"{name}.evalset.json": EvalSet(eval_set_id=name, name=name, eval_cases=cases) for name, cases in sets.items()}
    texts = {name: one.model_dump_json(indent=2, by_alias=True, exclude_none=True, exclude_defaults=True) for name, one in made.items()}
    return {name: text + "\n" for name, text in (texts | {"test_config.json": json.dumps(CONFIG, indent=2)}).items()}


def _eval_case(kind: str, number: int, case: Case) -> EvalCase:
    if kind == "choosing":
        turns = [_turn(case["text"], f"{PLANNED} <digest>", TOOLS[kind])]
    else:
        understood, request = _answers(case.get("wants", {}))
        turns = [_turn(case["text"], understood, TOOLS[kind]), _turn(SHOW, request)]
    return EvalCase(eval_id=f"{kind}-{number}", conversation=turns)


def _turn(text: str, answer: str, tools: tuple[str, ...] = ()) -> Invocation:
    return Invocation(
        user_content=types.Content(role="user", parts=[types.Part(text=text)]),
        final_response=types.Content(role="model", parts=[types.Part(text=answer)]) if answer else None,
        intermediate_data=IntermediateData(tool_uses=[types.FunctionCall(name=name, args={}) for name in tools]),
    )


def _answers(wants: dict[str, dict[str, str]]) -> tuple[str, str]:
    """(what is said of such a message, what `show request` says then)."""
    from tools.capabilities import catalogue, chain
    from tools.rules.request.editing import apply
    from tools.rules.request.filing import read_file
    from tools.rules.words import telling
    from tools.rules.words.rendering import draw
    from tools.values.request import Request
    from tools.values.site import Site

    items = [{"service": service, "facts": facts} for service, facts in wants.items()]
    request, refused = apply(Request(), read_file(yaml.safe_dump({"items": items})), catalogue())
    assert not refused, refused
    required = chain.understand(request, Site(), "operator")
    said = telling.requirements(required, ()) if required.complete else telling.questions(required, ())
    return draw(said).partition("\n")[0] if wants else "", draw(telling.request(request, ()))


# The metric, which `adk eval` finds by test_config.json.


def request_as_wanted(metric: EvalMetric, actual: list[Invocation], expected: list[Invocation] | None, _: object) -> EvaluationResult:
    """The share of turns that say what is expected: at least these facts, exactly these services, or a plan."""
    results = []
    for got, wanted in zip(actual, expected or [], strict=True):
        score = float(_says(_text(got), _text(wanted)))
        results.append(PerInvocationResult(actual_invocation=got, expected_invocation=wanted, score=score, eval_status=_status(score)))
    score = sum(one.score or 0.0 for one in results) / len(results)
    return EvaluationResult(overall_score=score, overall_eval_status=_status(score), per_invocation_results=results)


def _status(score: float) -> EvalStatus:
    return EvalStatus.PASSED if score == 1.0 else EvalStatus.FAILED


def _says(got: str, wanted: str) -> bool:
    planned = re.search(rf"^\s*{PLANNED} [0-9a-f]{{12}}$", got, re.MULTILINE) is not None
    return (planned or not wanted.startswith(PLANNED)) and _facts(wanted) <= _facts(got) and _services(wanted) == _services(got)


def _facts(answer: str) -> set[str]:
    """Of the line that says what was understood, whichever item they are of."""
    lines = re.findall(r"^(?:Understood|So far): (.+)\.$", answer, re.MULTILINE)
    return {fact.rpartition(": ")[2] for line in lines for fact in re.split(r"[,;] ", line)}


def _services(answer: str) -> list[str]:
    """As `show request` names them."""
    return sorted(re.findall(r"^- \*\*[^*]+\*\* \(([^)]+)\)", answer, re.MULTILINE))


def _text(turn: Invocation) -> str:
    """All that is said in a turn, the calls of tools aside."""
    steps = turn.intermediate_data.invocation_events if isinstance(turn.intermediate_data, InvocationEvents) else []
    said = [*(step.content for step in steps), turn.final_response]
    return "\n".join(part.text for content in said if content for part in content.parts or [] if part.text)


if __name__ == "__main__":
    main()
