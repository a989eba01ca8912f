"""Bad input and worlds that are away: each gets whole sentences with the next move, and the conversation goes on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from cluster_sim.authority import make_authority
from cluster_sim.run import environment, world
from tests.conftest import WORLDS, Berth, Reply, free_port
from tests.values import Stored, opened
from tools.pipeline.provisioning import provision
from tools.pipeline.world import World
from tools.values.conversation import Phase

VM = "with 2 cores, 4 GB memory, 20 GB disk, on network 20, production"
WEB = "a web server on network 20, production"
NEVER_SHOWN = ("Traceback", "Error(", "Exception", "root:x:", "<class", "None.", "PVEAPIToken")


def assert_is_a_whole_answer(text: str) -> None:
    assert text.strip(), "an answer has words"
    assert len(text) < 6000, "and not too many of them"
    assert not [words for words in NEVER_SHOWN if words in text], text
    assert text.rstrip()[-1] in ".`)?:", text


def run_folders(berth: Berth) -> set[str]:
    runs = berth.home / "runs"
    return {path.name for path in runs.iterdir()} if runs.exists() else set()


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ("", ()),
        (" \t\n ", ()),
        ("x" * 300_000, ("16 KiB",)),
        ("a\0b\x01\x02\x1b[31m", ("help",)),
        ("{{7*7}}", ("{{7*7}}", "help")),
        ('${file("/etc/passwd")}', ("help",)),
        (f'a Debian VM called "bad name\nx" {VM}', ("bad name", "bad-name-x")),
        (f"a Debian VM called 'a\"b' {VM}", ('a"b', "a-b")),
        (f'a Debian VM called ${{file("/etc/passwd")}} {VM}', ("file-etc-passwd",)),
        (f"a Debian VM called {{{{7*7}}}} {VM}", ("{{7*7}}", "7-7")),
        ("a Debian VM with 0 cores, 4 GB memory, 20 GB disk, on network 20, production", ("0 cores", "1", "1,024")),
        ("a Debian VM with 10,000 cores, 4 GB memory, 20 GB disk, on network 20, production", ("10,000 cores", "1", "1,024")),
        ("a Debian VM with 2 cores, −5 GB memory, 20 GB disk, on network 20, production", ("−5 GB", "256 MiB", "16 TiB")),
        ("a Debian VM with 2 cores, 4 GB memory, -5 GB disk, on network 20, production", ("-5 GB", "1 GiB", "64 TiB")),
        ("10000 web servers on network 20, production", ("10,000", "1", "20")),
        ("a PostgreSQL database for 0 users, production, on network 20", ("0 concurrent users", "1", "4,985")),
        (f"{WEB}, on node pev3", ("pev3", "pve3")),
        (f"{WEB}, from template windows-11", ("windows-11", "debian")),
        (f"{WEB}, on storage cefh-vm", ("cefh-vm", "ceph-vm")),
        ("a web server on network 99, production", ("99", "10, 20, 30")),
        (f"a VM called intranet {VM}", ("intranet", "VM 110", "intranet-2")),
        ("a web server on network 20, production, with 3 TB memory", ("memory of pve", "3 TiB")),
        (
            "a PostgreSQL cluster with 3 TB memory, 100 users, virtual address 10.20.0.200, on network 20, production",
            ("3 TiB", "memory of pve"),
        ),
        (
            "a k3s cluster with 2 masters and 0 workers, api address 10.20.0.200, network 20, production",
            ("2 servers of etcd", "3 servers, or 1", "0 workers", "1 worker"),
        ),
        ("approve", ()),
        ("approve 0123456789ab", ("0123456789ab",)),
        ("remove run-nothere", ("run-nothere", "list")),
        ("follow run-nothere", ("run-nothere", "list")),
        ("retry", ()),
    ],
)
def test_bad_input_is_answered_in_whole_sentences(berth: Berth, typed: str, named: tuple[str, ...]) -> None:
    """`named`: what is wrong as it was typed, and what would do."""
    chat, before = berth.chat(), run_folders(berth)
    reply = chat.say(typed)
    assert_is_a_whole_answer(reply.text)
    assert [one for one in named if one not in re.sub(r"\\(.)", r"\1", reply.text)] == [], reply.text
    assert chat.kept is None and run_folders(berth) == before, "nothing is planned, and nothing half-made is left behind"


@pytest.mark.parametrize(
    ("typed", "quote"),
    [
        ("100 eşzamanlı kullanıcı için PostgreSQL veritabanı, üretim, ağ 20", "üretim"),
        ("eine PostgreSQL-Datenbank für 100 Benutzer, Produktion, Netz 20", "Produktion"),
    ],
)
def test_other_languages_are_quoted_as_they_were_typed(berth: Berth, typed: str, quote: str) -> None:
    chat = berth.chat()
    chat.say(typed)
    environment = chat.required("environment")
    assert (environment.value, environment.words) == ("production", quote)
    assert chat.open_digest and f"“{quote}”" in chat.say("details").text
    chat.say("no")


def test_a_language_that_no_rule_reads_is_told_plainly(berth: Berth) -> None:
    chat = berth.chat()
    reply = chat.say("我需要一个数据库，100个并发用户，生产环境").text
    assert chat.kept is None and "GOOGLE_API_KEY" in reply and "German" in reply


def test_what_is_wrong_can_be_mended_by_the_next_sentence(berth: Berth) -> None:
    chat = berth.chat()
    chat.say("a web server on network 20, development, on node pev3")
    assert chat.kept is None
    chat.say("on node pve3")
    assert [machine.node for machine in chat.machines] == ["pve3"]
    chat.say("no")


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800", "\\udfff and \\ud83d", "\\ufffe\\u202e"])
def test_characters_that_are_none_end_neither_the_server_nor_the_conversation(berth: Berth, escape: str) -> None:
    chat = berth.chat()
    body = {"appName": "provisioner", "userId": chat.user, "sessionId": chat.session}
    raw = json.dumps(body | {"newMessage": {"role": "user", "parts": [{"text": "ESCAPE"}]}}).replace("ESCAPE", f"a {escape} b")
    answer = httpx.post(f"{berth.url}/run", content=raw.encode(), headers={"Content-Type": "application/json"}, timeout=60)
    assert answer.status_code == 200, answer.text[:300]
    assert_is_a_whole_answer(Reply(tuple(answer.json())).text)
    history = httpx.get(f"{berth.url}/apps/provisioner/users/{chat.user}/sessions/{chat.session}")
    assert history.status_code == 200, "the conversation can still be read"
    assert chat.say("help").text


@contextmanager
def connected(given: dict[str, str], folder: Path, **other: str) -> Iterator[World]:
    """For what is told before a front end has a part in it: `provision` is as good as a conversation, and no server has to start."""
    with opened(given | {"BERTH_HOME": str(folder / "home")} | other) as here:
        yield here


def _wrong_token(ready: dict[str, Any], folder: Path) -> dict[str, str]:
    return {"PROXMOX_VE_API_TOKEN": ready["proxmox"]["token"].partition("=")[0] + "=00000000-dead-4000-8000-00000000beef"}


def _expired_token(ready: dict[str, Any], folder: Path) -> dict[str, str]:
    return {"PROXMOX_VE_API_TOKEN": "berth@pve!of-last-year=01d00000-0000-4000-8000-000000000004"}


def _untrusted(ready: dict[str, Any], folder: Path) -> dict[str, str]:
    return {"BERTH_CA_FILE": str(make_authority(folder / "other_ca").ca_file)}


def _away(ready: dict[str, Any], folder: Path) -> dict[str, str]:
    return {"PROXMOX_VE_ENDPOINT": f"https://127.0.0.1:{free_port()}"}


@pytest.mark.parametrize(
    ("break_it", "setting"),
    [
        (_wrong_token, "PROXMOX_VE_API_TOKEN"),
        (_expired_token, "PROXMOX_VE_API_TOKEN"),
        (_untrusted, "BERTH_CA_FILE"),
        (_away, "PROXMOX_VE_ENDPOINT"),
    ],
    ids=["wrong token", "token that has run out", "untrusted certificate", "cluster away"],
)
def test_a_cluster_that_cannot_be_seen_is_told_with_the_setting_to_mend(
    emulated_cluster: tuple[dict[str, Any], Path], tmp_path: Path, break_it: Any, setting: str
) -> None:
    ready, folder = emulated_cluster
    other = break_it(ready, tmp_path)
    with connected(environment(ready, folder), tmp_path, **other) as here:
        reply = provision(WEB, "operator", world=here)
        assert setting in reply.answer, reply.answer
        assert_is_a_whole_answer(reply.answer.split("|\n", 1)[-1])
        for secret in (ready["proxmox"]["token"].partition("=")[2], "00000000-dead-4000", "01d00000"):
            assert secret not in reply.answer
        assert (reply.plan, reply.phase) == (None, Phase.DRAFTING), "the request is kept"


def test_a_token_without_rights_is_told_which_it_lacks(tmp_path: Path) -> None:
    """Every node answers, but nobody may see what runs there."""
    bare = tmp_path / "bare.yaml"
    bare.write_text(
        f"name: No rights\nbased_on: {WORLDS / 'four_nodes.yaml'}\nproxmox:\n"
        "  users:\n    bare@pve: {tokens: {bare: {secret: ba4e0000-0000-4000-8000-000000000009, separate: false}}}\n"
        "  ready_token: bare@pve!bare\n"
    )
    with (
        world([str(bare)], tmp_path / "world", guests="none") as ready,
        connected(environment(ready, tmp_path), tmp_path) as here,
    ):
        reply = provision(WEB, "operator", world=here)
        assert reply.plan is None
        assert "Sys.Audit" in reply.answer and "pveum acl modify" in reply.answer, reply.answer
        assert "ba4e0000" not in reply.answer
        assert_is_a_whole_answer(reply.answer.split("|\n", 1)[-1])


def test_a_full_storage_is_counted_before_anything_is_made(tmp_path: Path) -> None:
    with (
        world([str(WORLDS / "full_storage.yaml")], tmp_path / "world", guests="none") as ready,
        connected(environment(ready, tmp_path), tmp_path) as here,
    ):
        wish = "a PostgreSQL database for 100 concurrent users, production, on network 20, on storage ceph-vm"
        reply = provision(wish, "operator", world=here)
        assert reply.plan is None
        assert "storage ceph-vm" in reply.answer and "GiB" in reply.answer, "the sum that fails is shown"
        provision("on storage local-lvm", "operator", conversation=reply.conversation, world=here)
        assert [machine.storage for machine in Stored(here, reply.conversation).machines] == ["local-lvm"]
