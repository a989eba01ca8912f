"""The Azure CLI from PyPI, unmodified, in an environment of its own outside the repository, and logged in to a simulated Azure."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

VERSION = "2.91.0"
INSTALL_SECONDS_MAX = 3000
COMMAND_SECONDS_MAX = 300


SESSION = Path(__file__).with_name("az_session.py")


def python() -> Path:
    """The CLI's own, installed where it stays for the next time. Skips the test with a reason where it cannot be had."""
    place = Path(tempfile.gettempdir()) / f"berth-azure-cli-{VERSION}"
    with place.with_name(f"{place.name}.lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        _install(place)
    return place / "bin" / "python"


def _install(place: Path) -> None:
    if not (place / "whole").exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        install = [str(place / "bin" / "python"), "-m", "pip", "install", "-q", "--no-compile", f"azure-cli=={VERSION}"]
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


class Az:
    """One process of the CLI for all that is typed, which takes each command as `az` does."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        with log.open("wb") as said:
            self._process = subprocess.Popen(
                [str(python()), str(SESSION)], env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True
            )

    def run(self, command: str, *more: str) -> Answer:
        """Of a line as it is typed, without the `az` before it."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps([*shlex.split(command), *more]) + "\n")
        self._process.stdin.flush()
        code, out, err = json.loads(self._process.stdout.readline())
        return Answer(code, out, err)

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(COMMAND_SECONDS_MAX)


@contextmanager
def logged_in(ready: Mapping[str, Any], folder: Path) -> Iterator[Az]:
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
    az = Az(environment, folder / "az.log")
    try:
        endpoints = ("resource-manager", "active-directory", "active-directory-resource-id", "management", "microsoft-graph-resource-id")
        places = " ".join(f"--endpoint-{name} {url}" for name in (*endpoints, "active-directory-graph-resource-id"))
        for command in (
            f"cloud register -n simulated {places} --suffix-storage-endpoint core.windows.net --suffix-keyvault-dns .vault.azure.net",
            "cloud set -n simulated",
            f"login --service-principal -u {azure['client_id']} -p {azure['client_secret']} --tenant {azure['tenant_id']}",
        ):
            answer = az.run(command)
            assert answer.code == 0, answer.err
        yield az
    finally:
        az.close()
