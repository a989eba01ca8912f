"""Sizes are spelled so that they can be said back: what is spelled is read as the same size."""

from __future__ import annotations

import re
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.rules.hearing.tokens import quantities
from tools.rules.names.text import spell_memory, spell_size


@pytest.mark.parametrize(
    ("memory_mib", "spelled"),
    [(256, "256 MiB"), (512, "512 MiB"), (1024, "1 GiB"), (1280, "1.25 GiB"), (1100, "1,100 MiB"), (3 * 2**19, "1.5 TiB")],
)
def test_a_size_is_spelled_in_the_largest_unit_that_says_it_exactly(memory_mib: int, spelled: str) -> None:
    assert spell_memory(memory_mib) == spelled


@given(st.integers(1, 64 * 2**20))
def test_what_is_spelled_is_read_as_the_same_size(size_mib: int) -> None:
    assert quantities.size_bytes(spell_size(size_mib * 2**20)) == size_mib * 2**20


def test_no_text_has_two_macros_of_one_name() -> None:
    """The later one would stand in the place of the other."""
    texts = [one for one in resources.files("tools.rules.words").joinpath("texts").iterdir() if one.name.endswith(".j2")]
    macros = {one.name: re.findall(r"{%-? macro (\w+)\(", one.read_text(encoding="utf-8")) for one in texts}
    assert {name: sorted({m for m in found if found.count(m) > 1}) for name, found in macros.items() if len(set(found)) < len(found)} == {}
