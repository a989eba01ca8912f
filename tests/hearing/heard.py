"""What `berth hear --json` prints for the last of several messages, and for each of them, without a process."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from tools.pipeline.hearing import Hearing, hear
from tools.values.site import Site

TODAY = date(2026, 11, 29)
SITE = Site(default_network="", public_keys=("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5b8o0lNf0dJ0b1qzO3m2n5r7t9v1x3z5b7d9f1h3j5 me@host",))


def hear_json(texts: list[str]) -> dict[str, Any]:
    return hear(texts, SITE, TODAY)


def hear_each(texts: Iterable[str]) -> list[dict[str, Any]]:
    """Of the messages of one conversation, what each comes to."""
    hearing = Hearing(SITE, TODAY)
    return [hearing.hear(text) for text in texts]
