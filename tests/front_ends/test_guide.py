"""adk_web.md is true: its transcript happens, its HTTP calls are answered."""

from __future__ import annotations

import contextlib
import json
import re
import shlex

import httpx

from tests.conftest import ROOT, Berth

GUIDE = (ROOT / "adk_web.md").read_text()
VARIABLE = (
    (re.compile(r"\b[0-9a-f]{12}\b"), "DIGEST"),
    (re.compile(r"\brun-[0-9a-z]+\b"), "RUN"),
    (re.compile(r"\| memory of \w+ \| .*? \| ≤ [\d,.]+ GiB \|"), "| memory of NODE | SUM | ≤ LIMIT GiB |"),
    # The guests are busier at some hours than at others, so which node has most room left depends on the clock.
    (re.compile(r"\bnode (unchanged|\w+ → \w+)"), "node WHERE"),
)


def _block(comment: str) -> str:
    found = re.search(rf"<!-- {re.escape(comment)}.*? -->\n```\w*\n(.*?)\n```", GUIDE, re.DOTALL)
    assert found, comment
    return found.group(1)


def _plain(text: str) -> str:
    for pattern, word in VARIABLE:
        text = pattern.sub(word, text)
    return text


def test_the_transcript_happens(berth: Berth) -> None:
    chat, said, digest = berth.chat(), "", ""
    for line in _block("transcript: postgresql").splitlines():
        if line.startswith("[you] "):
            reply = chat.say(line.removeprefix("[you] ").replace("DIGEST", digest))
            said = _plain(reply.text)
            found = re.findall(r"approve ([0-9a-f]{12})", reply.text)
            digest = found[-1] if found else digest
        elif line.strip() not in ("", "…"):
            expected = _plain(line.strip())
            assert expected in said, f"{line!r} was not said in:\n{said}"
            # Lines come in this order.
            said = said[said.index(expected) + len(expected) :]


def test_the_http_calls_are_answered(berth: Berth) -> None:
    commands = [c for c in re.split(r"\n\n", re.sub(r"(?m)^#.*\n", "", _block("http: checked"))) if c.strip()]
    answers = []
    for command in commands:
        words = shlex.split(command)
        url = next(w for w in words if w.startswith("http://")).replace("http://127.0.0.1:8000", berth.url)
        body = json.loads(words[words.index("-d") + 1]) if "-d" in words else None
        answer = httpx.request("POST" if "POST" in words else "GET", url, json=body, timeout=120)
        assert answer.status_code == 200, answer.text
        answers.append(answer.json())
    session, events, artifacts = answers
    assert session["id"] == "s1"
    assert any("approve " in p.get("text", "") for e in events for p in (e.get("content") or {}).get("parts") or ())
    assert any(name.endswith("main.tf") for name in artifacts)


def test_a_client_that_goes_away_can_follow_later(berth: Berth) -> None:
    chat = berth.chat()
    digest = chat.say("a web server on network 20, development").digest
    with contextlib.suppress(httpx.TimeoutException):  # The client goes, in the middle of the run.
        chat.post(f"approve {digest}", seconds_max=3)
    followed = chat.say("follow")
    assert chat.run.status == "done", followed.text
