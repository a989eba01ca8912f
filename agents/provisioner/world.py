"""The one world of this process, opened when the first message needs it."""

from __future__ import annotations

import contextlib
import secrets
import threading
from functools import cache
from typing import TYPE_CHECKING

from tools.clients.files import private_folder, write_once
from tools.clients.settings import Settings
from tools.values.trouble import RequestProblem, Trouble

if TYPE_CHECKING:
    from tools.pipeline.world import World

WARM_UP_AFTER_SECONDS = 0.5
ENGINE_AFTER_SECONDS = 3.0
"""The engine's libraries are loaded while somebody reads the first plan, and not while it is being made."""
_lock = threading.Lock()
_world: World | None = None


def the_world() -> World:
    global _world
    with _lock:
        if _world is None:
            # The ledger's and the engine's libraries take half a second, and the first prompt need not wait for them.
            from tools.pipeline.engine import launch
            from tools.pipeline.world import open_world

            _world = open_world()
            launch(_world, after_seconds=ENGINE_AFTER_SECONDS)
        return _world


def warm_up() -> None:
    """Opens the world a moment after the first prompt: its libraries take longer to load than a person's first sentence to type, and
    runs whose process died are taken over without waiting for anybody to say something."""

    def open_quietly() -> None:
        # Trouble is told by the first message, which opens the world again.
        with contextlib.suppress(Trouble):
            settings = the_world().settings
            from tools.pipeline.platforms import connected, hands

            for platform in connected(settings):
                hands(platform)
            import tools.pipeline.talk  # noqa: F401 - loaded for the first message

    timer = threading.Timer(WARM_UP_AFTER_SECONDS, open_quietly)
    timer.daemon = True
    timer.start()


@cache
def the_settings() -> Settings | None:
    """What the environment says; None when it cannot be taken. The first message says why: opening the world reads it again."""
    try:
        return Settings.from_environment()
    except RequestProblem:
        return None


def integrity_key() -> bytes:
    """What ADK's stored tool calls are stamped with: kept, so that a conversation goes on after a restart and on another machine."""
    settings = the_settings()
    if settings is None:
        return secrets.token_bytes(32)
    return write_once(private_folder(settings.shared) / "calls.key", secrets.token_bytes(32))
