"""One reader a kind of fact: each looks at a stretch of what was typed and says what it finds there, with the very words.

Which stretch belongs to which capability is decided in tools.rules.hearing; what the value means, in the capability.
"""

from __future__ import annotations

from collections.abc import Iterable

from tools.rules.hearing.readers.addresses import read_addresses, read_ports
from tools.rules.hearing.readers.choices import read_choices, read_yes_or_no
from tools.rules.hearing.readers.keys import read_keys
from tools.rules.hearing.readers.names import read_called, read_names
from tools.rules.hearing.readers.numbers import read_counts, read_money, read_sizes
from tools.rules.hearing.readers.places import read_networks, read_nodes
from tools.rules.hearing.readers.regions import read_regions
from tools.rules.hearing.readers.stretch import Reader, Stretch
from tools.rules.hearing.readers.texts import read_texts
from tools.values.wanted import Kind, Wanted

_READERS: tuple[tuple[tuple[Kind, ...], Reader], ...] = (
    (("public_key",), read_keys),
    (("ports",), read_ports),
    (("addresses",), read_addresses),
    (("text",), read_called),
    (("names", "name"), read_names),
    (("region",), read_regions),
    (("money",), read_money),
    (("memory", "disk", "volume"), read_sizes),
    (("network",), read_networks),
    (("node",), read_nodes),
    (("count", "memory", "disk"), read_counts),
    (("choice",), read_choices),
    (("yes_no",), read_yes_or_no),
    (("text",), read_texts),
)


def read(stretch: Stretch, wanted: Iterable[Wanted], own_words: tuple[str, ...]) -> None:
    """Everything wanted, kind by kind; the order matters, because a sum of money is also a number. `own_words` name the capability."""
    by_kind: dict[Kind, list[Wanted]] = {}
    for one in wanted:
        by_kind.setdefault(one.kind, []).append(one)
    for kinds, reader in _READERS:
        asked = [one for kind in kinds for one in by_kind.get(kind, ())]
        if asked:
            reader(stretch, asked, own_words)
