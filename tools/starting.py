"""What `berth` starts and becomes: ADK's front ends with Berth's agents, and the simulated world. Nothing is added to either; each takes
the options it has by itself. The process is replaced, so that signals and exit codes are the other's."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from tools.values.trouble import RequestProblem

SIM_NEEDS = ("cluster_sim", "aiohttp", "asyncssh", "pexpect", "tf")
"""Of the extra `sim`."""


def assert_installed(package: str, extra: str, what: str) -> None:
    """Raises RequestProblem where the packages of an extra are missing."""
    if find_spec(package) is None:
        raise RequestProblem(f"{what} is not installed.", f"It needs the package {package}.", f"Install it: pip install 'berth[{extra}]'")


def front_end(command: str, words: tuple[str, ...]) -> NoReturn:
    """`adk run`, `adk web` or `adk api_server`, keeping sessions and artifacts in Berth's home. A `.env` of the current folder is for ADK
    and
    its models too. Raises RequestProblem for a wrong setting."""
    from dotenv import load_dotenv

    from tools.clients.files import private_folder
    from tools.clients.settings import Settings
    from tools.clients.shipped import AGENTS

    if "--a2a" in words:
        assert_installed("a2a", "a2a", "The A2A server")
    load_dotenv(Path(".env"))
    settings = Settings.from_environment()
    home = private_folder(settings.home)
    stores = ["--artifact_service_uri", f"file://{settings.shared / 'artifacts'}"]
    if not settings.is_on_postgresql:  # Its address may hold a password, and everybody reads a process's words: see hosting.py.
        stores += ["--session_service_uri", f"sqlite:///{home / 'sessions.db'}"]
    # ADK warns of its own unfinished classes, about which an operator can do nothing. Whoever sets filters of their own overrules this one.
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, ("ignore:[EXPERIMENTAL]:UserWarning", os.environ.get("PYTHONWARNINGS"))))
    _become("google.adk.cli", command, *stores, str(AGENTS / "provisioner" if command == "run" else AGENTS), *words)


def service(file: Path) -> NoReturn:
    """The web UI and the API behind a door that knows people. Raises RequestProblem for a wrong setting."""
    from tools.clients.settings import Settings
    from tools.clients.shipped import AGENTS

    Settings.from_environment()
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-P", str(AGENTS / "serve.py"), str(file)])  # noqa: S606


def reader(words: list[str]) -> NoReturn:
    """The agents' own reading of messages, by the configured model."""
    from dotenv import load_dotenv

    from tools.clients.shipped import AGENTS

    load_dotenv(Path(".env"))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(AGENTS), os.environ.get("PYTHONPATH", "")]))
    _become("provisioner.hearing", *words)


def simulator(module: str, *words: str) -> NoReturn:
    """A program of the simulated world. Raises RequestProblem when the extra `sim` is not installed."""
    missing = [name for name in SIM_NEEDS if find_spec(name) is None]
    if missing:
        raise RequestProblem(
            "The simulated world is not installed.", f"It needs {', '.join(missing)}.", "Install it: pip install 'berth[sim]'"
        )
    _become(module, *words)


def _become(module: str, *words: str) -> NoReturn:
    # Commands that are installed beside this Python are found by their names; nothing is imported from the current folder.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-P", "-m", module, *words])  # noqa: S606
