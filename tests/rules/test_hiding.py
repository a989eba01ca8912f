"""What is hidden of a secret besides the whole of it."""

from __future__ import annotations

import pytest

from tools.rules.names.hiding import has_login, opens, to_hide

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


@pytest.mark.parametrize(
    ("address", "lets_in", "login"),
    [
        (HOOK, True, False),
        ("https://hooks.slack.example/services/T01ABCDE2/B01ABCDE2/x", True, False),
        ("https://alerts.example.org/hook?token=x", True, False),
        ("https://berth:hunter2@alerts.example.org/hook", True, True),
        ("https://hunter2@alerts.example.org/", True, True),
        ("http://[broken/x", False, False),
        ("https://alerts.example.org/hook", False, False),
        ("http://a-very-long-name-of-a-host.example.org:9093/api/v2/alerts", False, False),
        ("https://mirror.example.org/k3s/v1.36.5%2Bk3s1/k3s@1", True, False),
        ("deb https://u:p@mirror.example.org/grafana stable main", True, True),
        ("ops@example.org", False, False),
    ],
)
def test_an_address_that_lets_in_whoever_knows_it_is_told_from_a_plain_one(address: str, lets_in: bool, login: bool) -> None:
    assert (opens(address), has_login(address)) == (lets_in, login)
