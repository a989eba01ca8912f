"""What is hidden of a secret besides the whole of it."""

from __future__ import annotations

import pytest

from tools.rules.names.hiding import to_hide

LONG = "9f86d081884c7d65"
HOOK = f"https://hooks.example.org/services/T0/B0/{LONG}"


@pytest.mark.parametrize(
    ("secret", "hidden", "shown"),
    [
        ("berth@pve!apply=5ca40000-0000-4000-8000-00000000c0de", {"5ca40000-0000-4000-8000-00000000c0de"}, {"apply", "berth@pve"}),
        ("berth@pve!a=short", {"short"}, set()),
        ("postgresql://berth:p%40ss@database-one.example.org/berth", {"p%40ss", "p@ss"}, {"database-one.example.org", "berth"}),
        (f"mailto://a:hunter2@mail.example.org {HOOK}", {"hunter2", HOOK, LONG}, {"hooks.example.org", "services", "mail.example.org"}),
        (f"slack://{LONG}/B0 tgram://123:{LONG}x/7", {LONG, f"{LONG}x", f"slack://{LONG}/B0"}, {"slack", "tgram", "123"}),
        (f'key "berth" {{\n\talgorithm hmac-sha256;\n\tsecret "{LONG}/+x==";\n}};\n', {f"{LONG}/+x==", LONG}, {"algorithm", "hmac-sha256"}),
        ("http://[broken/x", {"http://[broken/x"}, set()),
        ("abc", set(), {"abc"}),
        ("", set(), {""}),
    ],
)
def test_each_part_that_is_a_key_of_its_own_is_hidden_and_no_word_is(secret: str, hidden: set[str], shown: set[str]) -> None:
    found = to_hide([secret])
    assert hidden <= set(found) and not shown & set(found)
    assert list(found) == sorted(found, key=len, reverse=True)
