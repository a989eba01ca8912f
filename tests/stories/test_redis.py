"""A Redis server is asked for. What the role does on a real guest, and that every command of its guide answers, is
`tests/configure/test_redis.py`'s to show."""

from __future__ import annotations

from tests.conftest import Berth


def test_the_size_of_the_data_is_asked_for_and_answered(berth: Berth) -> None:
    chat = berth.chat()
    chat.say("a Redis server, production, on network 20")
    assert chat.asked == {"data_size"}
    planned = chat.say("2 GB of data")
    assert chat.required("data_mib").value == 2048
    assert chat.changes == {"create": 1}, planned.text
    chat.say("no")
    assert chat.open_digest == ""
