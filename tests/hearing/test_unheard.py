"""What was used for nothing is told, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.capabilities import catalogue
from tools.rules.hearing.hear import hear
from tools.rules.hearing.unheard import PHRASE_LENGTH_MAX, PHRASES_MAX, unheard
from tools.values.heard import Heard

EXAMPLES = [example for capability in catalogue().values() for example in capability.EXAMPLES]


def left_of(text: str) -> tuple[str, ...]:
    return unheard(text, hear(text, catalogue(), Heard()), catalogue())


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_word_of_our_own_examples_is_of_use(example: str) -> None:
    assert left_of(example) == ()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a database for 100 users with daily backups, prod, network 20", ("daily backups",)),
        ("a database with high availability for 100 users, prod, network 20", ("high availability",)),
        ("postgres for 100 users, prod, network 20, port 5433", ("port 5433",)),
        ("ten web servers on network 20 for production behind a load balancer", ("behind a load balancer",)),
        ("postgres with 100 users on network 20, production, not on pve1", ("not on pve1",)),
        ("postgres 16 for 100 users in staging on network 20", ("16",)),
        ("two databases, one for 100 users in production and one for 20 users in development, on network 20", ("100 users in production",)),
        ("a web server on 10.20.0.50, network 20, dev", ("10.20.0.50",)),
        ("a VM with 4 cores, 8 GB, double the memory, network 20", ("double the memory",)),
        ("We need a Postgres DB that 250 people will use at the same time, prod, vlan 20, please. Thank you!", ()),
        ("production, production: a postgres for 100 users on network 20", ()),
        ("a VM with 8 cores on network 20, upgrade the disk from 60 GB to 100 GB", ()),
        ("a postgres for 100 users, password hunter2, network 20", ("password",)),
        ("100 kullanıcı için üretim ortamında PostgreSQL veritabanı, ağ 20", ()),
        ("", ()),
    ],
)  # fmt: skip
def test_what_is_told(text: str, left: tuple[str, ...]) -> None:
    assert left_of(text) == left


@given(st.text(max_size=300))
def test_no_text_breaks_it_and_it_never_says_much(text: str) -> None:
    found = left_of(f"a postgres for 100 users {text}")
    assert len(found) <= PHRASES_MAX
    assert all(len(phrase) <= PHRASE_LENGTH_MAX + 2 for phrase in found)
