"""One pod and one emulated set of guests for the whole run: each test boots guests of its own numbers in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from guest_worlds import NETWORKS, Key, make_key

from cluster_sim.guests import Bodies, chosen_kind, open_bodies
from cluster_sim.guests.probe import probe


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    return make_key(tmp_path_factory.mktemp("key"))


@pytest.fixture(scope="session")
def pod_possible(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skips where this machine truly cannot have a pod; the reason is the probe's own sentence."""
    kind, why = chosen_kind(probe(tmp_path_factory.mktemp("probe")))
    if kind != "pod":
        pytest.skip(why)


@pytest.fixture(scope="session")
def pod(pod_possible: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bodies]:
    # A deep folder on purpose: a socket's address holds about a hundred bytes.
    folder: Path = tmp_path_factory.mktemp("pod") / ("deep-" * 12) / "run"
    bodies = open_bodies("pod", folder, NETWORKS, print, keep=False)
    yield bodies
    bodies.close()


@pytest.fixture(scope="session")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bodies]:
    # A folder with a space on purpose: the proxy command must survive every quoting.
    bodies = open_bodies("emulated", tmp_path_factory.mktemp("emulated guests"), NETWORKS, print, keep=False)
    yield bodies
    bodies.close()


@pytest.fixture(params=["pod", "emulated"])
def bodies(request: pytest.FixtureRequest) -> Bodies:
    made: Bodies = request.getfixturevalue(request.param)
    return made
