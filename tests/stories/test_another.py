"""After a run is done: another one is made beside it, and a removal that is not wanted after all leaves everything as it was."""

from __future__ import annotations

import pytest

from tests.conftest import Berth

pytestmark = pytest.mark.systems

VM = "a Debian VM with 1 core, 1 GB memory and 8 GB disk on network 20, development"


def test_another_one_is_made_beside_it_and_a_dropped_removal_changes_nothing(berth: Berth) -> None:
    chat = berth.chat()
    chat.say(f"{VM}, called another-01")
    made = chat.say(f"approve {chat.open_digest}")
    first = chat.run
    assert first.status == "done", made.text

    removal = chat.say("remove it")
    assert chat.changes == {"delete": 1}
    changed = chat.say("make it 2 cores")
    assert chat.changes == {"update": 1}, changed.text
    chat.say(f"approve {removal.digest}")
    assert (chat.open_digest, chat.run.status) == (changed.digest, "done")

    for words in ("no", "make it 0 cores", "no"):
        chat.say(words)
        assert (chat.open_digest, chat.run.status) == ("", "done")

    second = chat.say(f"I need another VM: {VM}, called another-02")
    assert chat.changes == {"create": 1} and chat.machines[0].name == "another-02"
    assert chat.plan.plan.run_id != first.id
    made = chat.say(f"approve {second.digest}")
    assert chat.run.status == "done", made.text
    for run_id in (chat.run.id, first.id):
        chat.say(f"remove {run_id}")
        removed = chat.say(f"approve {chat.open_digest}")
        assert (chat.run.id, chat.run.status) == (run_id, "removed"), removed.text
