"""A real `terraform apply` is killed with its owner at an instant of chance; another process makes the run whole."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import wait_until
from tests.engine.builders import lines
from tests.engine.test_crashes import approved, assert_whole, child, children, ended
from tools.clients import detached
from tools.clients.detached import Phase

from .conftest import Tally

__all__ = ["children"]

SEED = int(os.environ.get("BERTH_ENDURANCE_SEED") or random.SystemRandom().randrange(2**32))
WORK_SECONDS = 1.0
"""How long the one machine takes to make."""
TRIES_EACH_MAX = 5
"""On a busy machine many have ended when they would be killed."""


MADE = "made web-00"


def recorded(home: Path, run_id: str) -> bool:
    """Terraform's built-in provider has no id by which a thing could be found that was made and not written down; the platforms have
    (tests/engine/test_cluster.py), and there it is not made twice."""
    state = home / "runs" / run_id / "web" / "terraform.tfstate"
    return state.exists() and "web-00" in state.read_text()


def test_terraform_is_killed_and_the_run_made_whole(children: Any, tmp_path: Path, tally: Tally) -> None:
    chance, wanted, in_time, unknown = random.Random(SEED), tally.wanted("Terraform killed"), 0, 0
    for number in range(TRIES_EACH_MAX * wanted):
        if in_time == wanted:
            break
        home, effects = tmp_path / f"home{number}", tmp_path / f"effects{number}"
        world, digest, run_id = approved(home, effects, seconds=WORK_SECONDS)
        made = False
        assert ended(child(children, home, effects, digest, "apply", "during")) == -signal.SIGKILL
        place = next((home / "runs" / run_id / "web" / ".apply").iterdir())
        time.sleep(chance.uniform(0, WORK_SECONDS))  # The instant is what is varied.
        if detached.phase(place) is Phase.ALIVE:
            in_time += 1
            detached.signal_it(place, signal.SIGKILL)
            wait_until(lambda place=place: detached.phase(place) is not Phase.ALIVE, 30)
            made = MADE in lines(effects) and not recorded(home, run_id)
            unknown += made
        assert ended(child(children, home, effects, digest)) == 0
        try:
            assert_whole(world, run_id, effects, {MADE: int(made)})
        except AssertionError as error:
            pytest.fail(f"number {number} of BERTH_ENDURANCE_SEED={SEED}: {error}")
        world.ledger.close()
    print(f"\n{in_time} killed at work, {unknown} of them after the thing was made and before Terraform wrote it down")
    assert in_time == wanted, "all were killed while they worked"
    tally.done("Terraform killed", in_time)
