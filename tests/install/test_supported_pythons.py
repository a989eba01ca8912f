"""Nothing that a supported Python gets wrong. Debian 12 has 3.11.2, whose regular expressions misread possessive quantifiers and atomic
groups."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# On a line with a raw text or a call of `re`: elsewhere the same letters are no pattern.
POSSESSIVE = re.compile(r"""(?:\b(?:r|rf|fr|rb|br)["']|\bre\.).*(?:(?<!\\)(?:\\\\)*[*+?}]\+|\(\?>)""")


@pytest.mark.parametrize("folder", ["tools", "agents", "cluster_sim"])
def test_no_pattern_holds_a_possessive_quantifier_or_an_atomic_group(folder: str) -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{number}"
        for file in sorted((ROOT / folder).rglob("*.py"))
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if POSSESSIVE.search(line)
    ]
    assert wrong == [], "write it with a negative look-ahead"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('x = r"a?+b"', True),
        ("rf'(?:a){{2}}+'", True),
        ('re.compile("(?>a)")', True),
        (r'r"a\++"', False),
        ('r"a+b*"', False),
        ('x = "*+~"', False),
    ],
)
def test_the_guard_knows_them(line: str, found: bool) -> None:
    assert bool(POSSESSIVE.search(line)) is found
