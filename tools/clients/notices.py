"""Hands a notice to its receivers: webhooks, mail and whatever else apprise knows. What is told, and when, is decided elsewhere."""

from __future__ import annotations

import logging

from tools.values.trouble import RequestProblem

TRIES_MAX = 2
"""Apprise waits 4 s for a connection and 4 s for an answer each time (15 s for mail)."""


def send(receivers: str, title: str, body: str) -> tuple[str, ...]:
    """To each of the addresses, which blanks part. Returns those that did not take it, as `1 (json)`: an address may hold a secret, so it
    goes by its place and its kind. Raises RequestProblem when there is no apprise."""
    try:
        import apprise
    except ImportError:
        why = "The package apprise is not installed."
        raise RequestProblem("No notice can be sent.", why, "Install it: pip install 'berth[notices]'") from None
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # Its lines may hold an address.
    return tuple(
        f"{number} ({address.partition('://')[0]})"
        for number, address in enumerate(receivers.split(), 1)
        if not _sent(apprise.Apprise.instantiate(address), title, body)
    )


def _sent(receiver: object, title: str, body: str) -> bool:
    """None: an address that apprise cannot read."""
    notify = getattr(receiver, "notify", None)
    if notify is None:
        return False
    try:
        return any(notify(body=body, title=title, body_format="markdown") for _ in range(TRIES_MAX))
    except Exception:  # Each kind of receiver is a plugin of its own, and raises what it likes.
        return False
