"""The list of defences is true of the code: what is taken away is there once, and what is to see it is a test. That it does see it takes
many minutes: `make test-defences`."""

from __future__ import annotations

import shlex

import pytest

from .defences import ROOT, Defence, defences


@pytest.mark.parametrize("one", defences(), ids=lambda one: one.attack)
def test_what_is_taken_away_is_there_and_somebody_is_to_see_it(one: Defence) -> None:
    for path, text in one.without().items():
        compile(text, str(path), "exec")
    named = [word for word in shlex.split(one.test) if word.startswith("tests/")]
    assert named and all((ROOT / word).exists() for word in named)
