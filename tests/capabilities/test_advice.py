"""What a sentence that refuses something advises, typed back into the conversation that it came from: the problem is gone. By the table
`advice.yaml`; and no sentence that refuses is without a row in it."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.hearing.facts import plain
from tests.hearing.heard import SITE, TODAY
from tests.hearing.live import live_rows
from tools.pipeline.hearing import Hearing
from tools.rules.words.conversation import read
from tools.values.conversation import Conversation
from tools.values.events import Intent
from tools.values.request import Edit, Edits
from tools.values.requirements import Needs

TOOLS = Path(__file__).parents[2] / "tools"
TABLE: dict[str, dict[str, str]] = yaml.load((Path(__file__).parent / "advice.yaml").read_text(), yaml.BaseLoader)


def written(text: str, _: Conversation, heard: Edits) -> Edits:
    """`{redis: {purpose: both}}`, as a file or a model may say what no reader makes of a sentence."""
    if not text.startswith("{"):
        return heard
    [(service, facts)] = yaml.load(text, yaml.BaseLoader).items()
    sets = (Edit(do="set", item=service, name=name, value=value, quote=value) for name, value in facts.items())
    return Edits(edits=(Edit(do="add", item=service, name=service, quote=service), *sets))


def said(*texts: str) -> Hearing:
    hearing = Hearing(SITE, TODAY, by_model=written)
    for text in texts:
        hearing.hear(text)
    return hearing


def parts(hearing: Hearing) -> tuple[Needs, ...]:
    return hearing.now.requirements.parts if hearing.now.requirements else ()


@cache
def problems(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(problem for part in parts(said(*texts)) for problem in part.problems)


@pytest.mark.parametrize(("words", "expected"), TABLE.items())
def test_what_a_refusal_advises_mends_it(words: str, expected: dict[str, str]) -> None:
    *before, advice = words.split(" // ")
    assert problems(tuple(before)), "it is refused"
    after = said(*before, advice)
    assert [problem for part in parts(after) for problem in part.problems] == []
    [facts] = plain(after.now.request).values()
    assert facts | expected == facts


def refusals() -> Iterator[str]:
    """Patterns of the sentences that refuse, as the code has them."""
    for path in TOOLS.rglob("*.py"):
        text = path.read_text()
        for call in ast.walk(ast.parse(text)) if ".refuse(" in text else ():
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "refuse":
                yield from _pattern(call.args[0])


def _pattern(sentence: ast.expr) -> Iterator[str]:
    match sentence:
        case ast.Constant(value=str(text)):
            yield re.escape(text)
        case ast.JoinedStr(values=values):
            yield "".join(re.escape(str(one.value)) if isinstance(one, ast.Constant) else ".+" for one in values)


def test_each_sentence_that_refuses_is_in_the_table() -> None:
    told = {problem for words in TABLE for problem in problems(tuple(words.split(" // ")[:-1]))}
    assert [one for one in refusals() if not any(re.fullmatch(one, problem) for problem in told)] == []


# Remedies of findings, and what a refused edit advises.

REMEDIES = yaml.load((Path(__file__).parent / "remedies.yaml").read_text(), yaml.BaseLoader)
GAP = re.compile(r"\{\{.*?\}\}|\bAAAA…")


def remedies() -> Iterator[tuple[str, str]]:
    """(kind, template) of each findings.toml."""
    for path in sorted(TOOLS.rglob("findings.toml")):
        yield from ((kind, said.get("remedy", "")) for kind, said in tomllib.loads(path.read_text()).items())


def advised(sentence: str) -> list[str]:
    """Patterns of what stands in backticks."""
    return [".+".join(map(re.escape, GAP.split(typed))) for typed in re.findall(r"`([^`]+)`", sentence)]


@pytest.mark.parametrize("row", REMEDIES["typed"], ids=lambda row: row["say"])
def test_what_a_remedy_says_can_be_typed(row: dict[str, Any]) -> None:
    hearing = said(REMEDIES["conversations"][row["to"]])
    found = hearing.hear(row["say"])
    assert row.get("command", "") in ("", *found["commands"])
    assert found["unused"] == found["refused"] == []
    [facts] = plain(hearing.now.request).values()
    assert facts | row.get("facts", {}) == facts


def test_each_remedy_is_typed_or_done() -> None:
    typed = [row["say"] for row in REMEDIES["typed"]]
    outside = {"node_loss: tell", "releases"}  # lines of the site file
    for kind, sentence in remedies():
        patterns = [one for one in advised(sentence) if one not in map(re.escape, outside)]
        assert patterns or kind in REMEDIES["done"], kind
        untold = [one for one in patterns if not any(re.fullmatch(one, said) for said in typed)]
        assert untold == [] or kind in REMEDIES["done"], kind


def test_what_a_refused_edit_advises_is_typed_in_the_table_of_what_runs() -> None:
    """tests/hearing/live.jsonl says what comes of it; the rest are commands."""
    typed = [row["say"] for row in live_rows()]
    for name in ("editing", "draft", "keeping"):
        tree = ast.parse((TOOLS / "rules" / "request" / f"{name}.py").read_text())
        for sentence in (one for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for one in _filled(node)):
            for advice in re.findall(r"`([^`]+)`", sentence):
                pattern = re.escape(advice).replace("…", ".+")
                is_command = read(advice).intent is not Intent.WORDS
                assert is_command or any(re.match(rf"{pattern}(?: |$)", said) for said in typed), advice


def _filled(sentence: ast.JoinedStr) -> Iterator[str]:
    yield "".join(str(one.value) if isinstance(one, ast.Constant) else "…" for one in sentence.values)
