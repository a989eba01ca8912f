"""The simulated cluster, served once for all tests of the Terraform modules, and Terraform in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from module_folder import ROOT, Folder

READY_SECONDS_MAX = 60


@pytest.fixture(scope="session")
def world() -> Iterator[dict[str, Any]]:
    """Its ready line."""
    command = [
        sys.executable,
        "-m",
        "cluster_sim",
        "serve",
        "cluster_sim/worlds/four_nodes.yaml",
        "--guests",
        "none",
        "--time",
        "50",
    ]
    served = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert served.stdout is not None
    watch = threading.Timer(READY_SECONDS_MAX, served.kill)
    watch.start()
    line = served.stdout.readline()
    watch.cancel()
    assert line, f"cluster_sim was not ready after {READY_SECONDS_MAX} s."
    yield json.loads(line)
    served.terminate()
    served.wait(30)


@pytest.fixture(scope="session")
def make_folder(world: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Folder]:
    def make(module: str) -> Folder:
        path = tmp_path_factory.mktemp(module)
        for file in (ROOT / "terraform" / module).glob("*.tf"):
            shutil.copy(file, path)
        (path / "cli.tfrc").write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{world["mirror"]}"\n  }}\n}}\n')
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(path),
            "TF_CLI_CONFIG_FILE": str(path / "cli.tfrc"),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "PROXMOX_VE_ENDPOINT": world["proxmox"]["url"],
            "PROXMOX_VE_API_TOKEN": world["proxmox"]["token"],
            "SSL_CERT_FILE": world["ca_file"],
        }
        folder = Folder(path, environment)
        folder.terraform("init")
        return folder

    return make
