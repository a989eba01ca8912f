"""Nothing that a supported Python gets wrong. Debian 12 has 3.11.2, whose regular expressions misread possessive quantifiers and atomic groups."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
POSSESSIVE = re.compile(r"(?<!\\)(?:\\\\)*[*+?}]\+|\(\?>")


@pytest.mark.parametrize("folder", ["tools", "agents", "cluster_sim"])
def test_no_text_holds_a_possessive_quantifier_or_an_atomic_group(folder: str) -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and POSSESSIVE.search(node.value)
    ]
    assert wrong == [], "write it with a negative look-ahead instead"


@pytest.mark.parametrize(
    ("pattern", "found"), [("a?+b", True), ("(?:a){2}+", True), ("(?>a)", True), (r"a\++", False), ("a+b*", False)]
)
def test_the_guard_knows_them(pattern: str, found: bool) -> None:
    assert bool(POSSESSIVE.search(pattern)) is found
