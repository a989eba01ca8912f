"""Puts the service together and runs it, until it is told to stop: then what is being answered is answered, and the runs in hand go on to
their end or are taken over by the next process."""

from __future__ import annotations

import asyncio
import logging.config
import secrets
import sys
from pathlib import Path

import uvicorn
from google.adk.cli.dev_server import DevServer
from google.adk.cli.fast_api import get_fast_api_app
from uvicorn.config import LOGGING_CONFIG

from tools.clients.files import private_folder, write_once
from tools.clients.settings import Settings
from tools.clients.shipped import AGENTS
from tools.rules.plans.approving import Roles
from tools.values.tenant import Tenants
from tools.values.trouble import RequestProblem, Trouble

from ..connection import is_loopback
from ..turns import AT_ONCE
from ..world import the_world
from . import figures
from .config import Config, read_config
from .door import Door
from .log import json_lines
from .people import People, Provider
from .timely import timely

READY_SECONDS_MAX = 5.0
STOP_SECONDS_MAX = 20
PERSON = 2


def main(path: str) -> None:
    try:
        config = read_config(Path(path))
        if config.log == "json":
            logging.config.dictConfig(json_lines())
            logging.captureWarnings(True)  # What libraries say while they load is a line like any other.
        if not is_loopback(config.listen) and config.certificate_file is None:
            raise RequestProblem(
                "What people send would be read by others.",
                f"{path} listens on {config.listen} without a certificate.",
                "Name certificate_file and key_file, or listen on 127.0.0.1 behind a proxy that has them.",
            )
        settings = Settings.from_environment()
        if settings.roles_file is None:
            raise RequestProblem("Nobody would hold a role.", "BERTH_ROLES_FILE names no file.", "docs/roles.example.yaml is one.")
        door = make_door(config, settings)
    except RequestProblem as problem:
        print(problem, file=sys.stderr)
        sys.exit(PERSON)
    uvicorn.run(
        door,
        host=config.listen,
        port=config.port,
        ssl_certfile=str(config.certificate_file) if config.certificate_file else None,
        ssl_keyfile=str(config.key_file) if config.key_file else None,
        proxy_headers=False,  # Whoever passes a message on is seen as who they are.
        server_header=False,
        http=timely(),
        log_config=json_lines() if config.log == "json" else LOGGING_CONFIG,
        timeout_graceful_shutdown=STOP_SECONDS_MAX,
        h11_max_incomplete_event_size=64 * 1024,
    )


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
