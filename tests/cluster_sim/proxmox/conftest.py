"""Simulated clusters for tests: anew for each, in this process, with a clock that moves when told, and one that is served."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster_sim.world import World, read_world
from tests.cluster_sim.proxmox.driver import WORLDS, Driver, shipped


@pytest.fixture(scope="session")
def four_nodes() -> World:
    return shipped("four_nodes")


@pytest.fixture
def pve(four_nodes: World) -> Driver:
    return Driver(four_nodes)


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Driver]:
    """The cluster of four nodes with something in its world file changed."""

    def make(**proxmox: Any) -> Driver:
        file = tmp_path / "changed.yaml"
        file.write_text(yaml.safe_dump({"based_on": str(WORLDS / "four_nodes.yaml"), "proxmox": proxmox}))
        return Driver(read_world(file))

    return make


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The ready line of a server with tasks ten times as fast."""
    folder = tmp_path_factory.mktemp("served")
    with open(folder / "said", "w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "cluster_sim", "serve", str(WORLDS / "four_nodes.yaml"), "--guests", "none", "--time", "10"],
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            cwd=Path(__file__).parents[3],
            env={**os.environ, "NO_PROXY": "127.0.0.1"},
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "said").read_text()
        yield json.loads(line)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
