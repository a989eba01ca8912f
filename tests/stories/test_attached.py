"""Machines with more than a size: names of their own, data disks, fixed addresses, dates; and an application by its name alone."""

from __future__ import annotations

import pytest

from tests.conftest import Berth
from tools.rules.machines.firewall import spell

pytestmark = pytest.mark.systems

SENTENCE = (
    "2 vms called app-1 and app-7, 2 cores, 4 GB, 20 GB disk and a data disk of 30 GB, development, network 20, "
    "IPs 10.20.0.71 and 10.20.0.77, gateway 10.20.0.1, ports 22 and 443, tags shop, until 2027-03-31"
)


def test_what_was_said_of_machines_is_what_they_get(berth: Berth) -> None:
    chat = berth.chat()
    planned = chat.say(SENTENCE)
    assert chat.open_digest, planned.text
    assert [(m.name, m.address, [disk.disk_gib for disk in m.data_disks]) for m in chat.machines] == [
        ("app-1", "10.20.0.71/24", [30]),
        ("app-7", "10.20.0.77/24", [30]),
    ]
    assert [spell(m.rules) for m in chat.machines] == ["9100, 22, 443"] * 2
    assert all({"shop", "until-2027-03-31"} < set(m.tags) for m in chat.machines)
    assert len(chat.part.needs.not_included) == 2
    done = chat.say(f"approve {chat.open_digest}")
    assert chat.run.status == "done", done.text
    assert chat.run.receipt is not None
    assert [m.address for m in chat.run.receipt.parts[0].machines] == ["10.20.0.71", "10.20.0.77"]
    guide = (chat.folder / "guide.md").read_text()
    assert all(one in guide for one in chat.part.needs.not_included)

    grown = chat.say("make the data disk 40 GB")
    assert chat.changes == {"update": 2}, grown.text
    assert not any(change.restarts for part in chat.plan.plan.parts for change in part.changes)
    chat.say(f"approve {chat.open_digest}")
    assert chat.run.status == "done"
    refused = chat.say("make the data disk 10 GB")
    assert not chat.open_digest and "would be lost" in refused.text
    chat.say("no")
    chat.say("remove it")
    chat.say(f"approve {chat.open_digest}")
    assert chat.run.status == "removed"


def test_an_application_is_sized_by_its_vendor_or_asked_for_by_name(berth: Berth) -> None:
    chat = berth.chat()
    chat.say("GitLab for 800 users, production, network 20")
    [machine] = chat.machines
    assert (machine.name, machine.cpu_count, machine.memory_mib) == ("gitlab-01", 8, 16 * 1024)
    assert chat.required("cpu_count").source is not None
    chat.say("no")
    asked = chat.say("we want to host Nextcloud for 150 people, production, network 20")
    assert chat.asked == {"cpu_count", "memory", "disk"} and "Nextcloud" in asked.text
    chat.say("4 cores, 8 GB and 200 GB of disk")
    assert (chat.machines[0].cpu_count, chat.machines[0].memory_mib, chat.machines[0].disk_gib) == (4, 8192, 200)
    chat.say("no")
