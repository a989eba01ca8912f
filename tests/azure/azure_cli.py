"""The Azure CLI from PyPI, unmodified, in an environment of its own outside the repository, logged in to a simulated Azure."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

VERSION = "2.91.0"
INSTALL_SECONDS_MAX = 3000
COMMAND_SECONDS_MAX = 300


def program() -> Path:
    """`az`, installed where it stays for the next time. Skips the test with a reason where it cannot be had."""
    place = Path(tempfile.gettempdir()) / f"berth-azure-cli-{VERSION}"
    with place.with_name(f"{place.name}.lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        _install(place)
    return place / "bin" / "az"


def _install(place: Path) -> None:
    if not (place / "whole").exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        install = [str(place / "bin" / "python"), "-m", "pip", "install", "-q", f"azure-cli=={VERSION}"]
        done = subprocess.run(install, text=True, capture_output=True, timeout=INSTALL_SECONDS_MAX)
        if done.returncode != 0:
            pytest.skip(f"azure-cli {VERSION} cannot be installed here: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
        (place / "whole").touch()


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out) if self.out.strip() else None


@dataclass(frozen=True)
class Az:
    az: Path
    environment: Mapping[str, str]

    def run(self, command: str, *more: str) -> Answer:
        """Of a line as it is typed, without the `az` before it."""
        words = [str(self.az), *shlex.split(command), *more]
        done = subprocess.run(words, env=dict(self.environment), text=True, capture_output=True, timeout=COMMAND_SECONDS_MAX)
        return Answer(done.returncode, done.stdout, done.stderr)


def logged_in(ready: Mapping[str, Any], folder: Path) -> Az:
    """As somebody uses the CLI with a cloud of their own: registered by its addresses, through a proxy, with a service principal."""
    azure = ready["azure"]
    url = azure["url"]
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environment = {
        **kept,
        "HOME": str(folder),
        "AZURE_CONFIG_DIR": str(folder / "azure"),
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
        "REQUESTS_CA_BUNDLE": str(ready["ca_file"]),
        "HTTPS_PROXY": azure["proxy"],
        "NO_PROXY": "127.0.0.1,localhost",
    }
    az = Az(program(), environment)
    endpoints = ("resource-manager", "active-directory", "active-directory-resource-id", "management", "microsoft-graph-resource-id")
    places = " ".join(f"--endpoint-{name} {url}" for name in (*endpoints, "active-directory-graph-resource-id"))
    for command in (
        f"cloud register -n simulated {places} --suffix-storage-endpoint core.windows.net --suffix-keyvault-dns .vault.azure.net",
        "cloud set -n simulated",
        f"login --service-principal -u {azure['client_id']} -p {azure['client_secret']} --tenant {azure['tenant_id']}",
    ):
        answer = az.run(command)
        assert answer.code == 0, answer.err
    return az
