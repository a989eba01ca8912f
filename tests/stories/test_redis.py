"""A Redis server from a sentence to a machine that answers and back: ADK's API server, real Terraform, real Ansible over real SSH.

One guest has a body, where this machine can give it one: every command of its guide is run, and its memory is changed in its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from cluster_sim.guests.probe import probe
from cluster_sim.run import environment, world
from tests.conftest import WORLDS, Berth, api_server

SECONDS_MAX = 900.0
"""A real guest boots and installs packages in one turn, on a busy machine."""


@pytest.fixture(scope="module")
def with_bodies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Berth]:
    """Guests with a systemd of their own."""
    folder = tmp_path_factory.mktemp("bodies")
    bad = next((finding for finding in probe(folder) if not finding.good), None)
    if bad is not None:
        pytest.skip(f"No guests with a body here: {bad.what}: {bad.why}")
    with (
        world([str(WORLDS / "four_nodes.yaml")], folder / "world", guests="pod") as ready,
        api_server(environment(ready, folder), folder / "api_server.log") as server,
    ):
        yield server


@pytest.mark.timeout(2400)
def test_a_sentence_becomes_a_redis_server_that_is_changed_and_removed_again(with_bodies: Berth) -> None:
    chat = with_bodies.chat()
    planned = chat.say("I need a Redis server for 500 MB of data, production, on network 20")
    full = chat.say("details").text
    data, memory = chat.required("data_mib"), chat.required("memory_mib")
    assert (data.value, data.words) == (500, "500 MB of data") and data.words in full
    assert memory.source and memory.source.title in full, "the size names its source"

    done = chat.post(f"approve {planned.digest}", SECONDS_MAX)
    assert chat.run.status == "done" and chat.run.receipt, done.text
    [made] = chat.run.receipt.parts
    verified = "\n".join(made.verified)
    for answer in (r"redis_version:\d", "OK", "maxmemory", "aof_last_write_status:ok", "NOAUTH"):
        assert re.search(f"It answered: {answer}", verified), verified
    # A client that this computer has not is the only reason.
    assert all("from this computer" in one for one in made.not_verified), made.not_verified
    guide, secret = (chat.folder / "guide.md"), (chat.folder / "secrets" / "redis_password").read_text().strip()
    assert secret not in done.text + planned.text + full + guide.read_text()
    assert "up to 614 MiB of data" in guide.read_text()

    change = chat.say("make it 3 GB of memory")
    assert chat.changes == {"update": 1}, change.text
    changed = chat.post(f"approve {change.digest}", SECONDS_MAX)
    assert chat.run.status == "done", changed.text
    assert "up to 1 GiB of data" in guide.read_text()
    assert (chat.folder / "secrets" / "redis_password").read_text().strip() == secret

    removal = chat.say("remove it")
    assert chat.changes == {"delete": 1}, removal.text
    chat.say(f"approve {removal.digest}")
    removed = chat.say(f"confirm {removal.digest} {chat.part.machines[0].name}")
    assert chat.run.status == "removed", removed.text


def test_an_emulated_guest_takes_the_role_and_says_what_was_not_verified(berth: Berth) -> None:
    chat = berth.chat()
    planned = chat.say("a Redis cache with 2 GB of memory, development, on network 20")
    done = chat.say(f"approve {planned.digest}")
    assert chat.run.status == "done" and chat.run.receipt, done.text
    [made] = chat.run.receipt.parts
    assert made.verified == () and made.not_verified, "nothing runs on an emulated guest"
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
