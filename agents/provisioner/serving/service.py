"""What `berth serve` serves: ADK's app behind the door, with what both need."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing.process
import os
import secrets
import signal
import sys
import threading
from pathlib import Path

from google.adk.cli.dev_server import DevServer
from google.adk.cli.fast_api import get_fast_api_app

from tools.clients.files import private_folder, write_once
from tools.clients.serving import Config, read_config
from tools.clients.settings import Settings
from tools.clients.shipped import AGENTS
from tools.rules.plans.approving import Roles
from tools.values.tenant import Tenants
from tools.values.trouble import Trouble

from ..turns import AT_ONCE
from ..world import the_world
from . import figures
from .door import Door
from .people import People, Provider

READY_SECONDS_MAX = 5.0


def door() -> Door:
    """Of the file that this process was started with; a worker of several ends with the process that began it, or it would keep the
    port."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), name="berth-parent", daemon=True).start()
    settings = Settings.from_environment()
    config = read_config(Path(sys.argv[1]), settings)
    # What libraries say while they load is a line like any other.
    logging.captureWarnings(config.log == "json")
    return make_door(config, settings)


def _end_with(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def make_door(config: Config, settings: Settings) -> Door:
    # ADK keeps every span of every message for its developer's pages, for ever; these are closed here.
    DevServer._serves_debug_trace_endpoints = False
    app = get_fast_api_app(agents_dir=str(AGENTS), web=True, allow_origins=[config.address])
    key = write_once(private_folder(settings.shared) / "serve.key", secrets.token_bytes(32))
    return Door(
        app, config, People(config, key, Provider(config.oidc) if config.oidc else None), _held, _is_ready, lambda: figures.read(the_world)
    )


def _held() -> tuple[Roles, Tenants]:
    try:
        return the_world().roles(), the_world().tenants()
    except Trouble:
        return {}, Tenants()  # Nobody holds a role while the roles file cannot be read.


async def _is_ready() -> bool:
    def look() -> bool:
        the_world().ledger.runs.rows("running")
        return True

    try:
        async with asyncio.timeout(READY_SECONDS_MAX):
            return await asyncio.get_running_loop().run_in_executor(AT_ONCE, look)
    except Exception:
        return False
