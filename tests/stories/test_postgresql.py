"""From a sentence to a configured machine and back: through ADK's API server, real Terraform, and real Ansible over real SSH."""

from __future__ import annotations

import json

from tests.conftest import Berth

SENTENCE = "I need a PostgreSQL database for 100 concurrent users, production, on network 20"


def test_a_sentence_becomes_a_server_and_is_removed_again(berth: Berth) -> None:
    chat = berth.chat()
    planned = chat.say(SENTENCE)
    assert "you said “100 concurrent users”" in planned.text
    assert "concepts-limits, B2s" in planned.text, "the size names its source"
    assert "≤" in planned.text, "the arithmetic is shown"
    assert "0.111.1" in planned.text, "the provider that acts is named"
    assert {"cluster_before.svg", "cluster_after.svg"} <= set(planned.artifacts)

    done = chat.say(f"approve {planned.digest}")
    assert "is done" in done.text, done.text
    assert "not verified: emulated guest" in done.text.lower()
    run = berth.home / "runs" / planned.run_id
    assert json.loads((run / "receipt.json").read_text())["plan_digest"].startswith(planned.digest)
    secret = (run / "secrets" / "database_password").read_text().strip()
    assert secret not in done.text and secret not in planned.text

    removal = chat.say("remove it")
    assert "1 to remove" in removal.text
    assert removal.digest != planned.digest
    removed = chat.say(f"approve {removal.digest}")
    assert "is removed" in removed.text
