"""After a run is done: another one is made beside it, and a removal that is not wanted after all leaves everything as it was."""

from __future__ import annotations

from tests.conftest import Berth

VM = "a Debian VM with 1 core, 1 GB memory and 8 GB disk on network 20, development"


def test_another_one_is_made_beside_it_and_a_dropped_removal_changes_nothing(berth: Berth) -> None:
    chat = berth.chat()
    planned = chat.say(f"{VM}, called another-01")
    first = chat.say(f"approve {planned.digest}")
    assert "is done" in first.text, first.text

    removal = chat.say("remove it")
    assert "1 to remove" in removal.text, removal.text
    changed = chat.say("make it 2 cores")
    assert "1 to update" in changed.text or "1 to change" in changed.text, changed.text
    assert "This plan is void" in chat.say(f"approve {removal.digest}").text

    assert "nothing was changed" in chat.say("no").text
    asked = chat.say("make it 0 cores")
    assert "Say a number from 1" in asked.text, asked.text
    assert "nothing was changed" in chat.say("no").text

    second = chat.say(f"I need another VM: {VM}, called another-02")
    assert "1 to create" in second.text, second.text
    assert "another-02" in second.text and second.run_id != planned.run_id
    assert "is done" in chat.say(f"approve {second.digest}").text
    for run_id in (second.run_id, planned.run_id):
        removal = chat.say(f"remove {run_id}")
        assert "is removed" in chat.say(f"approve {removal.digest}").text
