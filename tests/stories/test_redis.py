"""A Redis server from a sentence to a machine that answers and back: ADK's API server, real Terraform, real Ansible over real SSH.

What the role does on a real guest, and that every command of its guide answers, is `tests/configure/test_redis.py`'s to show.
"""

from __future__ import annotations

import pytest

from tests.conftest import Berth


@pytest.mark.systems
def test_an_emulated_guest_takes_the_role_and_says_what_was_not_verified(berth: Berth) -> None:
    chat = berth.chat()
    planned = chat.say("a Redis cache with 2 GB of memory, development, on network 20")
    done = chat.say(f"approve {planned.digest}")
    assert chat.run.status == "done" and chat.run.receipt, done.text
    [made] = chat.run.receipt.parts
    assert len(made.verified) == len(made.machines) and made.not_verified, "the cluster is asked; nothing runs on an emulated guest"
    larger = chat.say("make it 3 GB of memory")
    assert chat.changes == {"update": 1}, larger.text
    changed = chat.say(f"approve {larger.digest}")
    assert chat.run.status == "done", changed.text
    assert "up to 1 GiB of data" in (chat.folder / "guide.md").read_text()
    removed = chat.say(f"approve {chat.say('remove it').digest}")
    assert chat.run.status == "removed", removed.text


def test_the_size_of_the_data_is_asked_for_and_answered(berth: Berth) -> None:
    chat = berth.chat()
    chat.say("a Redis server, production, on network 20")
    assert chat.asked == {"data_size"}
    planned = chat.say("2 GB of data")
    assert chat.required("data_mib").value == 2048
    assert chat.changes == {"create": 1}, planned.text
    chat.say("no")
    assert chat.open_digest == ""
