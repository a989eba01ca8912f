"""What stands between a request and its approval, over a real plan: all of it, from the message to the line that is typed."""

from __future__ import annotations

import pytest

from tests.conftest import Berth

ONE = "a PostgreSQL database for 100 concurrent users, production, on network 20, with nightly backups"
THREE = "a PostgreSQL database for 100 users, a web server and a Redis cache for 2 GB of data, production, on network 20"


def until_approval(text: str) -> str:
    """Through the last line that approves."""
    lines = text.splitlines()
    last = max(number for number, line in enumerate(lines) if line.strip().startswith("approve "))
    return "\n".join(lines[: last + 1])


@pytest.mark.parametrize(
    ("sentence", "parts", "lines_max", "words_max"),
    [
        (ONE, 1, 25, 150),
        ("a virtual machine with 2 cores, 4 GB and 40 GB of disk on network 20, development", 1, 25, 150),
        (THREE, 3, 40, 400),
    ],
)
def test_a_plan_is_read_in_a_minute(berth: Berth, sentence: str, parts: int, lines_max: int, words_max: int) -> None:
    chat = berth.chat()
    read = until_approval(chat.say(sentence).text)
    assert len(chat.plan.manifest.parts) == parts
    assert len(read.splitlines()) <= lines_max, read
    assert len(read.split()) <= words_max, read
    chat.say("no")


def test_an_edit_tells_its_difference_first(berth: Berth) -> None:
    chat = berth.chat()
    chat.say("a web server with 4 GB of memory on network 20, development")
    told = chat.say("make it 8 GB").text
    assert "4 → 8 GiB" in told and told.index("4 → 8 GiB") < told.index("## Plan")
    assert "cost" not in told.lower(), "a cluster of one's own costs no money"
    chat.say("no")


def test_the_rest_is_one_word_away(berth: Berth) -> None:
    chat = berth.chat()
    chat.say(ONE)
    memory = chat.required("memory_mib")
    assert memory.source
    for word, said in {
        "details": "terraform",
        "why": memory.source.title,
        "arithmetic": "≤",
        "resources": chat.part.resources[0].name,
    }.items():
        assert said.lower() in chat.say(word).text.lower(), word
    assert chat.open_digest, "and it can still be approved"
    chat.say("no")
