"""What of a secret must not be shown by itself either: the password within an address, each of several addresses, the key within a file.
Hiding it is done where something is shown (tools.clients.process.plain)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

PART_CHARACTERS_MIN = 16
"""A part that is as long as that is a key of its own; a shorter one is a word, such as `hmac-sha256`, `services` or `berth`."""
MIXED_CHARACTERS_MIN = 8
"""Of letters and digits in a path: `v1` is a word, `B0c1d2e3` a key."""
SHOWN_CHARACTERS_MIN = 4
"""A shorter text is no secret, and hiding it everywhere would leave nothing to read."""
_PASSWORD = re.compile(r"://[^/?#:]*:([^/?#]+)@")
_ADDRESS = re.compile(r"://[^/?#\s]*(?P<path>[^?#\s]*)(?P<more>\S*)")
_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def to_hide(secrets: Iterable[str]) -> tuple[str, ...]:
    """Each secret with its parts, the longest first: once a part is hidden, the whole would not be found any more."""
    found = {part for secret in secrets for part in _parts(secret) if len(part) >= SHOWN_CHARACTERS_MIN}
    return tuple(sorted(found, key=lambda part: (-len(part), part)))


def has_login(address: str) -> bool:
    """A name, or a password, stands before its host."""
    return re.search(r"://[^/?#\s]*@", address) is not None


def opens(address: str) -> bool:
    """Whoever knows this address may well be let in by it: it has a login, a query, or a part that looks like a key. Most webhooks are so.
    In
    doubt it does: a place can be named in its stead."""
    found = _ADDRESS.search(address)
    return found is not None and (has_login(address) or bool(found["more"]) or any(map(_is_key, found["path"].split("/"))))


def _is_key(word: str) -> bool:
    mixed = re.search(r"[0-9]", word) and re.search(r"[A-Za-z]", word)
    return len(word) >= (MIXED_CHARACTERS_MIN if mixed else PART_CHARACTERS_MIN)


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
