"""What of a secret must not be shown by itself either: the password within an address, each of several addresses, the key within a file.
Hiding it is done where something is shown (tools.clients.process.plain)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

PART_CHARACTERS_MIN = 16
"""A part that is as long as that is a key of its own; a shorter one is a word, such as `hmac-sha256`, `services` or `berth`."""
SHOWN_CHARACTERS_MIN = 4
"""A shorter text is no secret, and hiding it everywhere would leave nothing to read."""
_PASSWORD = re.compile(r"://[^/?#:]*:([^/?#]+)@")
_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def to_hide(secrets: Iterable[str]) -> tuple[str, ...]:
    """Each secret with its parts, the longest first: once a part is hidden, the whole would not be found any more."""
    found = {part for secret in secrets for part in _parts(secret) if len(part) >= SHOWN_CHARACTERS_MIN}
    return tuple(sorted(found, key=lambda part: (-len(part), part)))


def _parts(secret: str) -> Iterator[str]:
    yield secret
    for word in re.split(r"[\s\"';{}]+", secret):
        token_name, equals, token = word.partition("=")
        if equals and "!" in token_name:
            yield token
        if "://" in word:
            yield word
            yield from (form for found in _PASSWORD.findall(word) for form in (found, _decoded(found)))
        elif len(word) >= PART_CHARACTERS_MIN:
            yield word
        yield from (one for one in re.split(r"[:/?&=@!#,]+", word) if len(one) >= PART_CHARACTERS_MIN and not _HOST.fullmatch(one))


def _decoded(text: str) -> str:
    """`%40` is @ (RFC 3986 section 2.1)."""
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), text.encode()).decode(errors="replace")
