"""What is said while a playbook runs: Ansible's events as ansible-runner hands them on, and the sentences made of them."""

from __future__ import annotations

from typing import Any

from tools.clients.ansible import QUIET_SECONDS_MAX, Story


def start(task: str, role: str = "base") -> dict[str, Any]:
    return {"event": "playbook_on_task_start", "event_data": {"task": task, "role": role}}


def ended(host: str, how: str = "ok", **outcome: Any) -> dict[str, Any]:
    return {"event": f"runner_on_{how}", "event_data": {"host": host, "res": outcome}}


def stats(**counts: dict[str, int]) -> dict[str, Any]:
    hosts = {host for each in counts.values() for host in each}
    return {"event": "playbook_on_stats", "event_data": {"processed": dict.fromkeys(hosts, 1), **counts}}


def told(events: list[dict[str, Any]], hosts: int, secrets: tuple[str, ...] = ()) -> tuple[list[str], Story]:
    said: list[str] = []
    story = Story(hosts, secrets, said.append)
    for event in events:
        assert story.hear(event) is False  # so that no file is kept of it
    return said, story


def test_one_line_a_task_when_all_machines_are_through_it() -> None:
    events = [
        start("Validating arguments against arg spec 'main'"),
        ended("a"),
        ended("b"),
        start("Install packages"),
        ended("a", changed=True),
        ended("b"),
        start("Write down how to connect", "postgresql"),
        ended("a", censored="hidden"),
        ended("b", censored="hidden"),
        start("Make users"),
        ended("a", "skipped"),
        ended("b", "skipped"),
        start("Run it"),
        ended("a"),
        ended("b", "unreachable", msg="gone"),
        stats(ok={"a": 4, "b": 3}, changed={"a": 1}, dark={"b": 1}),
    ]
    said, story = told(events, 2)
    assert said == [
        "base: Install packages … changed on 1 of 2",
        "postgresql: Write down how to connect … done on 2 of 2",
        "base: Run it … as it should be on 1 of 2",
    ]
    assert (story.results["a"].changed, story.results["a"].message) == (1, "")
    assert (story.results["b"].unreachable, story.results["b"].message) == (1, "base: Run it: gone")


def test_what_a_role_rescues_is_no_failure() -> None:
    events = [
        start("Install packages"),
        ended("a", "failed", msg="No package"),
        start("Again"),
        ended("a"),
        stats(ok={"a": 1}, rescued={"a": 1}),
    ]
    said, story = told(events, 1)
    assert said == ["base: Again … as it should be"]
    assert (story.results["a"].failed, story.results["a"].message) == (0, "")


def test_a_failure_is_one_clean_line_without_secrets() -> None:
    outcome = {
        "msg": "no\nway \x1b[31mwith hush-hush",
        "stderr": "x" * 5000,
        "results": [{"failed": True, "msg": "this one"}, {"msg": "ok"}],
    }
    _, story = told([start("Try"), ended("a", "failed", **outcome), stats(failures={"a": 1})], 1, ("hush-hush",))
    message = story.results["a"].message
    assert message.startswith("base: Try: no way [31mwith (hidden) xxx")
    assert len(message) < 700
    _, story = told([start("Try"), ended("a", "failed", censored="hidden"), stats(failures={"a": 1})], 1)
    assert story.results["a"].message == "base: Try: it failed, and its output is hidden because it may hold a secret."


def test_a_task_that_takes_long_says_that_it_goes_on() -> None:
    said: list[str] = []
    now = [0.0]
    story = Story(1, (), said.append, clock=lambda: now[0])
    story.hear(start("Install packages"))
    for now[0] in (1.0, QUIET_SECONDS_MAX + 1, QUIET_SECONDS_MAX + 2, 2 * QUIET_SECONDS_MAX + 3):
        story.tick()
    assert said == ["base: Install packages … still at it"] * 2
