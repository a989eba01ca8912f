"""Real guests for the tests of configuring: one pod with a machine for each capability, opened once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from cluster_sim.guests import Bodies, GuestProblem, open_bodies
from tools.pipeline.configure import configure, wait
from tools.pipeline.context import PartContext

from .guests import MACHINES, NETWORK, Met, Site, context_for, new_run_folder, spec_for


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_run_folder(tmp_path_factory.mktemp("configure"))


@pytest.fixture(scope="session")
def bodies(tmp_path_factory: pytest.TempPathFactory, run_folder: Path) -> Iterator[Bodies]:
    try:
        opened = open_bodies("pod", tmp_path_factory.mktemp("pod"), (NETWORK,), print)
    except GuestProblem as problem:
        pytest.skip(f"No guests with a body here: {problem}")
    for name, address in MACHINES.values():
        opened.boot(spec_for(name, address, run_folder))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def met(bodies: Bodies, run_folder: Path) -> Met:
    """A machine that answers over SSH; whether it is configured already does not matter."""
    context = context_for("web_server", run_folder, bodies.proxy_command or "")
    return Met(bodies, replace(context, machines=wait(context, print)))


@pytest.fixture(scope="session")
def site(bodies: Bodies, run_folder: Path) -> Site:
    assert bodies.proxy_command
    said: dict[str, list[str]] = {capability: [] for capability in MACHINES}

    def make(capability: str) -> PartContext:
        context = context_for(capability, run_folder, bodies.proxy_command or "")
        context = replace(context, machines=wait(context, said[capability].append))
        configure(context, said[capability].append)
        return context

    with ThreadPoolExecutor(len(MACHINES)) as pool:
        contexts = dict(zip(MACHINES, pool.map(make, MACHINES), strict=True))
    return Site(bodies, contexts, said)
