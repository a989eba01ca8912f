"""What a sentence that refuses something advises, typed back into the conversation that it came from: the problem is gone. By the table
`advice.yaml`; and no sentence that refuses is without a row in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.hearing.facts import plain
from tests.hearing.heard import SITE, TODAY
from tools.pipeline.hearing import Hearing
from tools.values.conversation import Conversation
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
