"""From a sentence to a configured machine and back: through ADK's API server, real Terraform, and real Ansible over real SSH."""

from __future__ import annotations

import json
import time
from urllib.parse import urlsplit

from tests.canaries import children_of, left_in, left_in_temporary_files
from tests.conftest import Berth

SENTENCE = "I need a PostgreSQL database for 100 concurrent users, production, on network 20"


def test_a_sentence_becomes_a_server_and_is_removed_again(berth: Berth) -> None:
    chat = berth.chat()
    planned, full = chat.say(SENTENCE), chat.say("details").text
    users, memory = chat.required("concurrent_users"), chat.required("memory_mib")
    assert (users.value, users.words) == (100, "100 concurrent users") and users.words in full
    assert memory.source and memory.source.title in full, "the size names its source"
    assert "≤" in full, "the arithmetic is shown"
    [(provider, version)] = chat.plan.plan.parts[0].providers
    assert provider in full and version in full, "the provider that acts is named"
    assert "cluster.svg" in planned.artifacts

    began = time.time()
    with children_of(f"api_server --port {urlsplit(berth.url).port}") as children:
        done = chat.say(f"approve {planned.digest}")
    assert chat.run.status == "done" and chat.run.receipt, done.text
    [made] = chat.run.receipt.parts
    assert len(made.verified) == len(made.machines) and made.not_verified, "the cluster is asked; nothing runs on an emulated guest"
    assert made.machines[0].body == "emulated guest" and made.machines[0].body in done.text, "and that is said"
    assert json.loads((chat.folder / "receipt.json").read_text())["plan_digest"].startswith(planned.digest)
    secret = (chat.folder / "secrets" / "database_password").read_text().strip()
    assert secret not in done.text + planned.text + full
    names = {word.decode("utf-8", "replace").rpartition("/")[2] for words in children.words.values() for word in words.split()[:3]}
    assert names & {"terraform", "terraform_bundled.py"} and "ansible-playbook" in names and "ssh" in names, names
    key = (chat.folder / "secrets" / "ssh_key").read_text().splitlines()[4]  # Those before it are alike in every key, or public.
    login = berth.world.settings.proxmox_api_token.get_secret_value().partition("=")[2]
    assert any(login.encode() in one for one in children.environments.values()), "Terraform's"
    assert left_in(berth.home, chat.run.id.encode()), "and what is there is found"
    log = (berth.home.parent / "api_server.log").read_bytes()
    for canary in (secret.encode(), key.encode(), login.encode()):
        assert children.with_words(canary) == [], "in a list of processes, which every account may read"
        assert children.with_environment(canary) == [] and canary not in log
        assert left_in(berth.home, canary) == [] and left_in_temporary_files(began, canary, berth.home) == []

    removal = chat.say("remove it")
    assert chat.changes == {"delete": 1} and removal.digest != planned.digest
    waits = chat.say(f"approve {removal.digest}")
    name = chat.part.machines[0].name
    assert chat.run.status == "done" and f"confirm {removal.digest} {name}" in waits.text, "what is in production goes by its name"
    removed = chat.say(f"confirm {removal.digest} {name}")
    assert chat.run.status == "removed", removed.text
