"""What every benchmark is handed: a simulated world, the settings that connect it, and the agents."""

from __future__ import annotations

import compileall
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.chat import ROOT, Agents
from benchmarks.spans import Recorder
from cluster_sim.run import environment, world

WORLDS = tuple(str(ROOT / "cluster_sim" / "worlds" / name) for name in ("four_nodes.yaml", "azure_subscription.yaml"))


@dataclass(frozen=True)
class Bench:
    folder: Path
    environment: Mapping[str, str]
    agents: Agents
    times: int
    """Repetitions of what takes seconds."""

    @property
    def recorder(self) -> Recorder:
        return self.agents.recorder

    def run_folder(self, run_id: str) -> Path:
        return Path(self.environment["BERTH_HOME"]) / "runs" / run_id

    def free(self) -> None:
        """Nothing is promised to what was destroyed by hand since: every benchmark finds the cluster's own room."""
        if "provisioner.world" not in sys.modules:
            return  # Nobody has spoken yet.
        from provisioner.world import the_world

        from tools.pipeline import carry_out

        world = the_world()
        for promise in carry_out.promises(world):
            world.ledger.release(promise.family)

    def terraform_environment(self, part: Path) -> dict[str, str]:
        """Exactly what Berth's own Terraform is given."""
        from tools.clients.settings import Settings
        from tools.clients.terraform import Terraform

        return Terraform(Settings.from_environment(), part).environment()


@contextmanager
def opened(folder: Path, times: int) -> Iterator[Bench]:
    """One world for all: a cluster and a subscription side by side, with guests that execute nothing."""
    # Where Python keeps no compiled files, our own would be compiled at every start; those that are installed are compiled already.
    compileall.compile_dir(ROOT / "agents", quiet=1)
    compileall.compile_dir(ROOT / "tools", quiet=1)
    recorder = Recorder(folder)
    with world(WORLDS, folder / "world", guests="emulated") as ready:
        given: dict[str, Any] = environment(ready, folder)
        # The models of whoever measures stay out of it: the offline model's prompts are the ones that are counted.
        given |= {"BERTH_TERRAFORM": str(recorder.program), "BERTH_MODEL_FAST": "", "BERTH_MODEL_PRO": "", "GOOGLE_API_KEY": ""}
        before = dict(os.environ)
        os.environ.update(given)
        try:
            yield Bench(folder, given, Agents(recorder, folder), times)
        finally:
            os.environ.clear()
            os.environ.update(before)
