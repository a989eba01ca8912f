"""The command line `berth`: help, exit codes, and sentences instead of tracebacks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from cluster_sim.run import settings
from tests.loopback import Answer, http_server
from tools import starting
from tools.cli import main
from tools.values.trouble import RequestProblem


def _berth(*words: str, **environment: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(words), env=environment)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"BERTH_HOME": str(tmp_path), "PROXMOX_VE_ENDPOINT": "", "ARM_SUBSCRIPTION_ID": "", "BERTH_POLICY_FILE": ""}


@pytest.mark.parametrize("words", [(), ("--help",), ("policy", "--help"), ("prices", "refresh", "--help"), ("drift", "--help")])
def test_help_is_there(words: tuple[str, ...]) -> None:
    assert "Usage:" in _berth(*words)[1]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("policy", "test"), 0, "examples come out as expected"),
        (("prices", "show", "nat.data"), 0, "0.045 USD a GB"),
        (("prices", "show", "nothing"), 2, "No row has the key nothing"),
        (("runs",), 0, "There are no runs yet"),
        (("show", "run-nothing"), 2, "No run is called run-nothing"),
        (("drift", "run-nothing"), 2, "No run is called run-nothing"),
        (("audit", "verify"), 0, "follow from one another"),
        (("audit", "verify", "--from", "abcd"), 2, "No record has the hash abcd"),
        (("audit", "show"), 0, ""),
        (("audit", "export", "--run", "run-nothing"), 0, ""),
        (("request", "show", "nobody"), 2, "No conversations are called nobody"),
    ],
)
def test_each_command_says_a_sentence_and_its_code(home: dict[str, str], words: tuple[str, ...], code: int, says: str) -> None:
    assert (_berth(*words, **home)[0], says in _berth(*words, **home)[1]) == (code, True)


STEERS = "\x1b]0;owned\x07\x1b[2J\u202e"


def test_nothing_that_is_told_steers_the_terminal(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(json.dumps({"version": "1", "examples": [{"name": STEERS, "document": {}, "expect": "reject"}]}))
    for words in (("show", f"run-{STEERS}x"), ("policy", "test", str(tmp_path / "own.yaml"))):
        result = CliRunner().invoke(main, list(words), env=home, color=True)
        assert result.output and not {"\x07", "\u202e", "\x1b]", "\x1b[2J"} & set(
            re.findall(r"\x07|\u202e|\x1b\]|\x1b\[2J", result.output)
        ), words


def test_a_policy_whose_example_comes_out_otherwise_fails(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("version: 1\nexamples: [{name: x, document: {}, expect: reject}]")
    code, text = _berth("policy", "test", str(tmp_path / "own.yaml"), **home)
    assert (code, "0 of 1 examples" in text) == (2, True)


def test_a_setting_that_cannot_be_taken_is_named(home: dict[str, str]) -> None:
    code, text = _berth("doctor", **home | {"PROXMOX_VE_API_TOKEN": "nonsense"})
    assert (code, "PROXMOX_VE_API_TOKEN cannot be taken" in text, "nonsense" in text) == (2, True, False)


def test_the_doctor_finds_a_healthy_world(emulated_cluster: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    ready, folder = emulated_cluster
    code, text = _berth("doctor", **settings(ready, folder) | {"BERTH_HOME": str(tmp_path)})
    assert (code, "answers; 0 things could not be seen" in text) == (0, True), text
    assert [f"ok   proxmox, {one}: " in text for one in ("the token that makes", "templates", "storages", "networks")] == [True] * 4
    assert "ok   providers for proxmox: bpg/proxmox 0.111.1" in text
    empty = tmp_path / "mirror"
    empty.mkdir()
    code, text = _berth("doctor", **settings(ready, folder) | {"BERTH_HOME": str(tmp_path), "BERTH_PROVIDER_MIRROR": str(empty)})
    assert code != 0 and "bad  providers for proxmox: bpg/proxmox is not there" in text
    without = {name: value for name, value in settings(ready, folder).items() if name != "BERTH_PROVIDER_MIRROR"}
    with http_server(lambda _: Answer(502)) as proxy:
        code, text = _berth("doctor", **without | {"BERTH_HOME": str(tmp_path), "HTTPS_PROXY": proxy, "NO_PROXY": "127.0.0.1"})
    assert code != 0 and "bad  providers for proxmox: " in text and "BERTH_PROVIDER_MIRROR" in text


def test_a_request_file_is_applied_shown_and_exported(home: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text("items:\n- {label: shop, service: web_server, facts: {memory: 4 GB}}\nshared: {environment: staging}\n")
    code, text = _berth("request", "apply", str(file), **home)
    [name] = set(re.findall(r"request-[0-9a-f]{8}", text))
    assert code == 0 and "Which network" in text, "what is missing is asked for"
    assert "memory 4 GB" in _berth("request", "show", name, **home)[1]
    exported = _berth("request", "export", name, **home)[1]
    assert "label: shop" in exported
    file.write_text(exported)
    assert _berth("request", "apply", str(file), **home)[0] == 0
    file.write_text(exported.replace("memory:", "memroy:").replace("web_server", "pony"))
    code, text = _berth("request", "apply", str(file), **home)
    assert (code, "memroy" in text, "pony" in text) == (2, True, True)


def test_a_request_is_kept_in_the_tenant_that_somebody_in_several_chose(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "roles.yaml").write_text("principals: {}\ntenants: {acme: {members: [dora]}, rival: {members: [dora]}}\n")
    (tmp_path / "request.yaml").write_text("items: [{service: web_server}]\n")
    given, words = {**home, "BERTH_ROLES_FILE": str(tmp_path / "roles.yaml")}, ("request", "apply", str(tmp_path / "request.yaml"))
    code, text = _berth(*words, "--requester", "dora", **given)
    assert (code, "--tenant acme" in text) == (2, True)
    assert _berth(*words, "--requester", "dora", "--tenant", "acme", **given)[0] == 0


STARTS = {"chat", "web", "api", "serve", "sim", "demo", "mcp"}
"""Commands that start another program; they have nothing to tell."""
ANSWERS = [
    (("doctor",), {"findings"}),
    (("runs",), {"runs"}),
    (("inbox",), {"waiting"}),
    (("held",), {"held"}),
    (("held", "--free", "ab12cd34"), {"trouble"}),
    (("show", "run-nothing"), {"trouble"}),
    (("drift", "run-nothing"), {"trouble"}),
    (("request", "show", "nobody"), {"trouble"}),
    (("request", "export", "nobody"), {"trouble"}),
    (("request", "apply", "FILE"), {"kept_as", "requirements"}),
    (("audit", "show"), {"records"}),
    (("audit", "export"), None),
    (("audit", "verify"), {"holds", "detail", "last_hash"}),
    (("policy", "test"), {"examples"}),
    (("prices", "show", "nat.data"), {"rows"}),
    (("prices", "show", "nothing"), {"trouble"}),
]


def _commands(group: click.Group, *names: str) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in group.commands.items():
        found += _commands(command, *names, name) if isinstance(command, click.Group) else [(*names, name)]
    return found


@pytest.mark.parametrize("names", [one for one in _commands(main) if one[0] not in STARTS], ids=" ".join)
def test_every_command_that_tells_something_has_it_as_a_document(names: tuple[str, ...]) -> None:
    command: click.Command = main
    for name in names:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    assert "--json" in {option for one in command.params for option in one.opts}


@pytest.mark.parametrize(("words", "keys"), ANSWERS, ids=lambda one: " ".join(one) if isinstance(one, tuple) else "")
def test_a_document_is_one_and_whole_and_the_exit_code_is_that_of_the_words(
    home: dict[str, str], tmp_path: Path, words: tuple[str, ...], keys: set[str] | None
) -> None:
    file = tmp_path / "request.yaml"
    file.write_text("items:\n- service: virtual_machine\n  label: build\n  facts: {cpu_count: '4'}\n")
    given = tuple(str(file) if word == "FILE" else word for word in words)
    code, text = _berth(*given, "--json", **home)
    told = json.loads(text)
    assert set(told) == keys if keys is not None else isinstance(told, list)
    assert code == _berth(*given, **home)[0]
    if keys == {"trouble"}:
        assert all(told["trouble"][name] for name in ("summary", "detail", "remedy"))


def test_what_an_extra_brings_is_named_with_the_line_that_installs_it() -> None:
    starting.assert_installed("click", "sim", "The simulator")
    with pytest.raises(RequestProblem) as missing:
        starting.assert_installed("no_such_package", "a2a", "The A2A server")
    assert missing.value.remedy.endswith("pip install 'berth[a2a]'")
