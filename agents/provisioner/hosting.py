"""What ADK's front ends do otherwise with Berth in them, however they are started: sessions and artifacts are kept in Berth's home, each
request is looked at as it comes in, and no turn reads what was said before it.

ADK has no setting for these that `adk web agents` would have; so three of its names are exchanged here, and one default, and nowhere else.
docs/decisions/0013 says why.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from google.adk.agents.run_config import RunConfig
from google.adk.artifacts import file_artifact_service
from google.adk.artifacts.file_artifact_service import FileArtifactService
from google.adk.cli import service_registry
from google.adk.cli.utils import service_factory
from google.adk.sessions.base_session_service import BaseSessionService, GetSessionConfig

from tools.clients.files import private_folder

from .world import the_settings

DATABASES = ("postgresql", "postgresql+psycopg", "postgresql+asyncpg", "mysql", "mysql+aiomysql", "sqlite+aiosqlite")
_settled = False


def settle() -> None:
    """Once a process."""
    global _settled
    if _settled:
        return
    _settled = True
    os.environ.setdefault("ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS", "false")  # What people type, and models read, stays out of traces.
    os.umask(0o077)  # Whatever a front end writes is its own person's.
    if hasattr(file_artifact_service, "_DEFAULT_FILE_MODE"):  # ADK has read the umask when it was loaded.
        file_artifact_service._DEFAULT_FILE_MODE = 0o600
    RunConfig.model_fields["get_session_config"].default = GetSessionConfig(num_recent_events=0)
    RunConfig.model_rebuild(force=True)
    services = service_registry.get_service_registry()
    services.register_session_service("sqlite", _sessions_at)
    for scheme in DATABASES:
        services.register_session_service(scheme, _sessions_in_database)
    for module in filter(None, map(sys.modules.get, ("google.adk.cli.cli", "google.adk.cli.fast_api"))):
        _exchange(module, "create_session_service_from_options", _sessions_in_home)
        _exchange(module, "create_artifact_service_from_options", _artifacts_in_home)
    server = sys.modules.get("google.adk.cli.api_server")
    if server is not None:
        setattr(server, "FastAPI", _gated(server.FastAPI))  # noqa: B010 - a name that a type checker would have be its own class


def _gated(made: Any) -> Any:
    """The app that ADK builds, behind a gate that sees each connection. Without it Berth only reads and plans."""
    from .connection import Gate

    class Gated(made):  # type: ignore[misc]
        def build_middleware_stack(self) -> Any:
            return Gate(super().build_middleware_stack())

    return Gated


def _exchange(module: ModuleType, name: str, made: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    setattr(module, name, made(getattr(service_factory, name)))


def _sessions_in_home(make: Callable[..., Any]) -> Callable[..., Any]:
    def make_sessions(*, session_service_uri: str | None = None, **options: Any) -> Any:
        settings = the_settings()
        if session_service_uri is None and settings is not None and options.get("use_local_storage", True):
            session_service_uri = f"sqlite:///{private_folder(settings.home) / 'sessions.db'}"
            if settings.is_on_postgresql:  # With the ledger, so that every machine that shares it goes on with a conversation.
                session_service_uri = f"postgresql+psycopg://{settings.ledger_url.partition('://')[2]}"
        return make(session_service_uri=session_service_uri, **options)

    return make_sessions


def _artifacts_in_home(make: Callable[..., Any]) -> Callable[..., Any]:
    def make_artifacts(*, artifact_service_uri: str | None = None, **options: Any) -> Any:
        settings = the_settings()
        if artifact_service_uri is None and settings is not None and options.get("use_local_storage", True):
            return FileArtifactService(root_dir=private_folder(settings.shared / "artifacts"))
        return make(artifact_service_uri=artifact_service_uri, **options)

    return make_artifacts


def _sessions_at(uri: str, **_: Any) -> BaseSessionService:
    """As ADK reads such an address: three slashes before a path from here, four before a whole one."""
    from .sessions import Sessions

    path = urlsplit(uri).path[1:]
    if not path:
        from google.adk.sessions.in_memory_session_service import InMemorySessionService

        return InMemorySessionService()
    return Sessions(Path(path))


def _sessions_in_database(uri: str, **options: Any) -> BaseSessionService:
    from .sessions import in_database

    options.pop("agents_dir", None)
    return in_database(uri, **options)
