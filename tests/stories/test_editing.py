"""A request that is edited message by message: taken back, made again, copied, and never in the way of what exists."""

from __future__ import annotations

from tests.conftest import Berth
from tests.hearing.facts import said
from tools.pipeline import requests
from tools.rules.request.filing import as_yaml, document

VM = "a Debian VM with 1 core, 1 GB memory and 8 GB disk on network 20, development"


def test_an_edit_is_undone_and_done_again_and_touches_no_run(berth: Berth) -> None:
    chat = berth.chat()
    chat.say(f"{VM}, called undo-01")
    first = chat.now.request
    larger = chat.say("make it 2 cores")
    assert chat.machines[0].cpu_count == 2 and chat.now.history[-1] == first
    back = chat.say("undo")
    assert (chat.now.request, chat.machines[0].cpu_count) == (first, 1), back.text
    assert chat.open_digest == back.digest != larger.digest
    chat.say("redo")
    assert chat.machines[0].cpu_count == 2
    made = chat.say(f"approve {chat.open_digest}")
    assert chat.run.status == "done", made.text

    chat.say("undo")
    assert (chat.phase, chat.open_digest, chat.run.status) == ("done", "", "done")
    chat.say("make it 1 core")
    assert chat.changes == {"update": 1} and chat.open_digest
    chat.say("take that back")
    assert (chat.phase, chat.open_digest, chat.changes) == ("done", "", {"update": 1}), "no plan to remove anything was made"

    chat.say("remove virtual_machine")
    assert (chat.open_digest, chat.phase) == ("", "done"), "an edit takes nothing away that runs"
    chat.say("another one")
    assert (chat.machines[0].name, chat.changes, chat.now.run_id) == ("undo-02", {"create": 1}, None)


def test_another_one_is_one_more_item_of_the_same_plan(berth: Berth) -> None:
    chat = berth.chat()
    chat.say(f"{VM}, called twin-01")
    both = chat.say("another one")
    names = [machine.name for part in chat.plan.manifest.parts for machine in part.machines]
    assert names == ["twin-01", "twin-02"], both.text
    chat.say("remove virtual_machine-2")
    assert [part.label for part in chat.plan.manifest.parts] == ["virtual_machine"]
    chat.say("no")


def test_what_cannot_be_made_holds_nothing_back(berth: Berth) -> None:
    chat = berth.chat()
    chat.say("a MySQL database for 50 users, development, network 20")
    assert chat.phase == "asking"
    planned = chat.say(f"now I need {VM}, called beside-01")
    assert chat.part.label == "virtual_machine" and chat.machines[0].name == "beside-01", planned.text
    chat.say(f"approve {chat.open_digest}")
    assert [item.label for item in chat.now.request.items] == ["virtual_machine"], "what was not made is no part of what stands"


def test_what_no_run_made_is_left_alone(berth: Berth) -> None:
    chat = berth.chat()
    for words in ("delete the intranet vm", "remove intranet-01"):
        chat.say(words)
        assert (chat.now.request.items, chat.phase, chat.kept) == ((), "listening", None), words


def test_ok_takes_what_was_suggested(berth: Berth) -> None:
    chat = berth.chat()
    chat.say("a web server called ok-01")
    assert {"environment", "network"} <= chat.asked
    assert chat.say("why this node?").artifacts == (), "a question changes no file"
    planned = chat.say("ok")
    assert chat.required("environment").words == "ok" and chat.machines[0].vlan_tag == 10, planned.text


def test_a_request_file_is_taken_up_in_a_conversation_and_given_back(berth: Berth) -> None:
    chat = berth.chat()
    name, kept, required = requests.take_in(berth.world, as_yaml(said(f"{VM}, called filed-01")))
    assert required.complete
    planned = chat.say(f"resume {name}")
    assert (chat.now.request, chat.machines[0].name) == (kept, "filed-01"), planned.text
    assert {"request.json", "request.yaml", "plan.json"} <= set(planned.artifacts)
    chat.say("make it 2 cores")
    changed = requests.find(berth.world, chat.conversation).request
    assert document(changed)["items"][0]["facts"]["cpu_count"] == "2"
    chat.say("undo")
    assert chat.now.request == kept


def test_a_machine_that_no_run_made_can_be_copied_and_is_left_as_it_is(berth: Berth) -> None:
    chat = berth.chat()
    planned = chat.say("a vm like shop-web-1 but with 3 GB, network 20, development")
    [machine] = chat.machines
    assert (machine.name, machine.cpu_count, machine.memory_mib, machine.disk_gib) == ("shop-web-3", 4, 3072, 30), planned.text
    assert chat.changes == {"create": 1}
