"""Scores the configured model on what it does in Berth: hearing, refusing, choosing. Prints a table; exit code 1 when a case is not right.

The cases are benchmarks/data/evals.yaml. Without a model there is nothing to score, and that is said.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from benchmarks.__main__ import quiet
from benchmarks.bench import WORLDS
from benchmarks.chat import ROOT
from cluster_sim.run import environment, world

CASES = Path(__file__).parent / "data" / "evals.yaml"
Case = dict[str, Any]


@dataclass
class Score:
    kind: str
    model: str
    right: int = 0
    wrong: list[tuple[str, str]] = field(default_factory=list)
    """(message, what was not right)"""
    calls: int = 0

    def add(self, case: Case, fault: str) -> None:
        self.right += not fault
        self.wrong += [(case["text"], fault)] if fault else []

    @property
    def cases(self) -> int:
        return self.right + len(self.wrong)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evals", description=__doc__)
    parser.add_argument("--only", action="append", choices=KINDS, help="this kind; may be repeated")
    chosen = parser.parse_args()
    quiet()
    with tempfile.TemporaryDirectory(prefix="berth-eval-") as folder, world(WORLDS[:1], Path(folder) / "world", guests="emulated") as ready:
        os.environ.update(environment(ready, Path(folder)))
        sys.path.insert(0, str(ROOT / "agents"))  # As ADK does.
        from provisioner.models import OFFLINE, model_for

        if OFFLINE in (model_for("fast").model, model_for("pro").model):
            print(
                "No model is configured, so there is nothing to score. GOOGLE_API_KEY, or BERTH_MODEL_FAST and BERTH_MODEL_PRO, name one."
            )
            return 1
        cases = yaml.safe_load(CASES.read_text())
        scores = [asyncio.run(_score(kind, cases[kind])) for kind in chosen.only or KINDS]
    print(table(scores))
    return 0 if all(not score.wrong for score in scores) else 1


async def _score(kind: str, cases: list[Case]) -> Score:
    from provisioner.models import model_for
    from provisioner.stage import kind_of

    score = Score(kind, str(model_for("pro" if kind == "choosing" else "fast").model))
    for case in cases:
        try:
            score.add(case, await KINDS[kind](case, score))
        except Exception as problem:  # a model may fail in as many ways as there are providers
            score.add(case, f"it did not answer ({kind_of(problem)})")
    return score


def table(scores: list[Score]) -> str:
    lines = ["| what | model | right | calls |", "|---|---|---|---|"]
    lines += [f"| {one.kind} | {one.model} | {one.right} of {one.cases} | {one.calls} |" for one in scores]
    return "\n".join([*lines, "", *(f"- {one.kind}, “{text}”: {fault}" for one in scores for text, fault in one.wrong)]).rstrip()


# What is right of each kind: empty, or what is not.


async def _hears(case: Case, score: Score) -> str:
    return "; ".join(_missing(case["wants"], await _edits_of(case, score)))


async def _refuses(case: Case, score: Score) -> str:
    edits = await _edits_of(case, score)
    return f"it made {', '.join(f'{edit.do} {edit.name}' for edit in edits.edits)} of it" if edits.edits and not edits.asks else ""


async def _edits_of(case: Case, score: Score) -> Any:
    from provisioner.hearing import heard_by_model

    from tools.capabilities import catalogue
    from tools.rules.request import goals
    from tools.values.conversation import Conversation
    from tools.values.request import Request

    score.calls += 1
    by_rule = goals.hear(case["text"], Request(), catalogue(), (), date.today(), None)
    return await heard_by_model(case["text"], Conversation(), by_rule)


def _missing(wants: dict[str, dict[str, str]], edits: Any) -> Iterator[str]:
    from tools.rules.names.text import fold

    labels = {edit.name: edit.item for edit in edits.edits if edit.do == "add"}
    for service, facts in wants.items():
        if service not in labels:
            yield f"no {service}"
            continue
        said = {edit.name: fold(edit.value) for edit in edits.edits if edit.do in ("set", "include") and edit.item in ("", labels[service])}
        yield from (f"{name} is {said.get(name, 'missing')}" for name, value in facts.items() if said.get(name) != fold(value))
    yield from (f"a {service} that nobody asked for" for service in labels if service not in wants)


async def _chooses(case: Case, score: Score) -> str:
    from provisioner.asking import ask
    from provisioner.manifest_generator import generator
    from provisioner.models import model_for
    from provisioner.stage import brief, prompt, rendered

    from tools.capabilities import chain
    from tools.values.trouble import Trouble

    now, situation = await asyncio.to_thread(_drafting, case["text"])
    turn = SimpleNamespace(talk=SimpleNamespace(now=now), model=score.model)
    taken: list[Any] = []
    picker = generator.Propose()

    def judge(args: dict[str, Any]) -> str:
        score.calls += 1
        try:
            taken[:] = [picker.read(turn, args).proposal]  # type: ignore[arg-type]
        except (Trouble, ValueError, KeyError, TypeError, AttributeError) as problem:
            return brief(problem)
        return ""

    system = rendered(prompt(generator.__package__), generator.context_of(now))
    await ask(model_for("pro"), system, "Pick from the offer.", picker, judge)
    if not taken:
        return "no call of it could be taken"
    manifest = chain.compose(now.requirements, now.offer, taken[0], situation)
    review = chain.review(manifest, situation)
    if not review.clean:
        return f"the review finds {review.findings[0].check}"
    return "; ".join(_otherwise(case, now.offer, taken[0], manifest))


def _drafting(text: str) -> tuple[Any, Any]:
    """The conversation at the point where a choice is to be made, by rules alone."""
    from tools.capabilities import catalogue, chain
    from tools.clients.settings import Settings
    from tools.pipeline.context import utc_now
    from tools.pipeline.platforms import hands
    from tools.pipeline.world import read_site
    from tools.rules.request import goals
    from tools.rules.request.editing import apply
    from tools.values.conversation import Conversation, Phase
    from tools.values.request import Request
    from tools.values.situation import Situation

    settings = Settings.from_environment()
    site = read_site(settings)
    heard = goals.hear(text, Request(), catalogue(), (), date.today(), None)
    request, _ = apply(Request(), heard, catalogue())
    situation = Situation({"proxmox": hands("proxmox").scan(settings, utc_now(), site)}, site)
    required = chain.understand(request, site, "operator")
    assert required.complete, text
    offer = chain.offer(required, situation)
    return Conversation(Phase.DRAFTING, typed=(text,), request=request, requirements=required, offer=offer), situation


def _otherwise(case: Case, offer: Any, proposal: Any, manifest: Any) -> Iterator[str]:
    [pick], [part], [offered] = proposal.picks, manifest.parts, offer.parts
    if "no reason" in pick.because:
        yield "it gave no reason"
    if case.get("spread"):
        most = max(len({place.node for place in one.places}) for one in offered.candidates)
        if len({machine.node for machine in part.machines}) < most:
            yield f"it is on {len({machine.node for machine in part.machines})} nodes of {most}"
    defaults = {one.name: one.default for one in offered.ranges}
    for name, times in case.get("at_least", {}).items():
        if getattr(part.machines[0], name) < times * defaults[name]:
            yield f"{name} is {getattr(part.machines[0], name)}, less than {times * defaults[name]:g}"
    for name, times in case.get("at_most", {}).items():
        if getattr(part.machines[0], name) > times * defaults[name]:
            yield f"{name} is {getattr(part.machines[0], name)}, more than {times * defaults[name]:g}"


KINDS: dict[str, Callable[[Case, Score], Any]] = {"hearing": _hears, "refusing": _refuses, "choosing": _chooses}


if __name__ == "__main__":
    sys.exit(main())
