"""Values on their way into a playbook: they arrive letter by letter, and nothing in them is ever executed."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tools.clients import ssh
from tools.clients.ansible import SOCKETS, inventory_json, options_of, run_playbook, sweep, unsafe, variables_json
from tools.clients.shipped import PLAYBOOKS
from tools.clients.ssh import Host
from tools.values.trouble import RequestProblem, WorldProblem

from .guests import Met, new_run_folder

ALLOWED = frozenset({"words", "ansible_connection"})


def test_every_string_is_marked_and_nothing_else_is() -> None:
    value = {"words": ["{{ 7 * 7 }}", 1, True, None, {"inner": "x"}]}
    marked = {"words": [{"__ansible_unsafe": "{{ 7 * 7 }}"}, 1, True, None, {"inner": {"__ansible_unsafe": "x"}}]}
    assert json.loads(variables_json(value, ALLOWED)) == marked


@pytest.mark.parametrize("name", ["other", "ansible_connection", "words\n", "Words", ""])
def test_a_name_that_no_role_declares_is_refused(name: str) -> None:
    with pytest.raises(RequestProblem, match="A variable cannot be set"):
        variables_json({name: "x"}, ALLOWED)


@pytest.mark.parametrize("inner", ["{{ x }}", "a b", "", "a\nb"])
def test_a_name_within_a_value_is_refused_when_it_is_no_name(inner: str) -> None:
    with pytest.raises(RequestProblem, match="A variable cannot be set"):
        unsafe({"ok": {inner: 1}})


def test_inventory_names_machines_and_nothing_that_templates() -> None:
    hosts = json.loads(inventory_json([Host("db-01", "10.20.0.31", "ops")]))["all"]["hosts"]
    assert hosts == {
        "db-01": {
            "ansible_user": "ops",
            "ansible_python_interpreter": "/usr/bin/python3",
            "machine_address": {"__ansible_unsafe": "10.20.0.31"},
        }
    }


def test_no_role_rescues() -> None:
    """Where one machine's failure ends a play for all, a rescued one makes Ansible skip the others without a word (ansible/README.md)."""
    tasks = [task for file in PLAYBOOKS.glob("roles/*/tasks/*.yml") for task in yaml.safe_load(file.read_text())]
    inside = [inner for task in tasks for inner in task.get("block", [])]
    assert len(tasks) > 100
    assert [task["name"] for task in (*tasks, *inside) if "rescue" in task] == []


def test_no_file_is_written_in_an_order_that_changes() -> None:
    """Ansible's filters of sets give another order in each process, and so a file that is another one each time."""
    drawn = {str(file): file.read_text() for file in PLAYBOOKS.glob("roles/*/templates/*") if file.is_file()}
    assert len(drawn) > 20
    assert [name for name, text in drawn.items() if re.search(r"\| *(difference|union|intersect|symmetric_difference)\(", text)] == []


@pytest.mark.parametrize("playbook", sorted(path.name for path in PLAYBOOKS.glob("*.yml")))
def test_roles_keep_to_full_names_and_to_what_ansible_core_brings(playbook: str) -> None:
    words = {"name", "when", "register", "until", "retries", "delay", "notify", "become", "become_user", "loop", "loop_control"}
    words |= {"no_log", "changed_when", "failed_when", "check_mode", "block", "ignore_errors", "vars"}
    plays = yaml.safe_load((PLAYBOOKS / playbook).read_text())
    files = [PLAYBOOKS / "roles" / entry["role"] / part / "main.yml" for entry in plays[0]["roles"] for part in ("tasks", "handlers")]
    tasks = [task for file in files if file.exists() for task in yaml.safe_load(file.read_text())]
    seen = 0
    while tasks:
        task = tasks.pop()
        tasks += task.get("block", [])
        modules = set(task) - words
        assert task["name"]
        assert len(modules) == (0 if "block" in task else 1), task
        for module in modules:
            assert module.startswith("ansible.builtin.")
            assert module != "ansible.builtin.shell"
            assert module != "ansible.builtin.command" or "argv" in task[module]
            seen += 1
    assert seen > 3 or not plays[0]["roles"], "only a machine of a system that the roles do not know has none"
    has_base = options_of(PLAYBOOKS, playbook) >= {"base_timezone", "base_packages", "base_users"}
    assert has_base or playbook in ("template.yml", "plain_machine.yml"), "no machine yet, or one of a system that the roles do not know"


HOSTILE = (
    "{{ lookup('pipe', 'touch CANARY') }}",
    "{% for x in lookup('pipe', 'touch CANARY') %}{% endfor %}",
    "{{ lookup('file', '/etc/hostname') }}",
    "{{ hostvars }}",
    "$(touch CANARY)",
    "`touch CANARY`",
    "'; touch CANARY; '",
    '"; touch CANARY; "',
    "line one\nline two: {{ 7*7 }}",
    "!unsafe x",
    "@/etc/passwd",
    "ünïcödé 数据库 \t\u202e",
    '{"__ansible_unsafe": "x"}',
    "\\{{ 1 }}",
    "#jinja2: variable_start_string:'[['\n[[ 7*7 ]]",
)


def test_hostile_values_arrive_letter_by_letter(met: Met, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    values = [text.replace("CANARY", str(canary)) for text in HOSTILE]
    context = met.context
    folder = a_playbook(
        tmp_path,
        [
            {
                "name": "Write the values",
                "ansible.builtin.copy": {"content": "{{ echo_values | to_json }}", "dest": "/tmp/echo.json", "mode": "0644"},
            },
            {"name": "Say them", "ansible.builtin.command": {"argv": "{{ ['printf', '%s'] + echo_values }}"}},
        ],
    )
    (tmp_path / "part").mkdir()
    results = run_playbook(
        context.run_folder, tmp_path / "part", "echo.yml", context.hosts(), {"echo_values": values}, {}, print, folder=folder
    )
    assert results["web-01"].failed == 0
    assert json.loads(met.bodies.exec("web-01", ["cat", "/tmp/echo.json"]).stdout) == values
    assert not canary.exists()
    assert met.bodies.exec("web-01", ["test", "-e", str(canary)]).returncode == 1


def test_a_failing_task_is_told_in_its_own_words_without_secrets(met: Met, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXMOX_VE_API_TOKEN", "berth@pve!apply=token-of-ours")
    monkeypatch.setenv("ANSIBLE_STRATEGY", "the operator's own, which has no say here")
    context = met.context
    fail = {"name": "Look for it", "ansible.builtin.command": {"argv": ["ls", "/nowhere/{{ echo_secret }}"]}}
    (tmp_path / "part").mkdir()
    with pytest.raises(WorldProblem) as trouble:
        run_playbook(
            context.run_folder,
            tmp_path / "part",
            "echo.yml",
            context.hosts(),
            {},
            {"echo_secret": "hush-hush"},
            print,
            folder=a_playbook(tmp_path, [fail]),
        )
    assert trouble.value.retryable
    assert "web-01 says `echo: Look for it: " in trouble.value.detail
    assert "No such file" in trouble.value.detail
    assert "hush-hush" not in str(trouble.value)
    assert not (tmp_path / "part" / "ansible" / "secret_variables.json").exists()
    kept = [path for path in (tmp_path / "part").rglob("*") if path.is_file()]
    assert any(path.name == "command" for path in kept)  # with the environment Ansible was given
    assert not [path for path in kept if "token-of-ours" in path.read_text(errors="replace")]


def test_a_machine_that_is_away_is_told_as_such(met: Met, tmp_path: Path) -> None:
    context = replace(
        met.context,
        settings=met.context.settings.model_copy(update={"guest_proxy_command": "false"}),
    )

    folder = new_run_folder(tmp_path)
    ssh.write_ssh_config(folder, context.hosts(), "false")
    (folder / "part").mkdir()
    with pytest.raises(WorldProblem) as trouble:
        run_playbook(folder, folder / "part", "web_server.yml", context.hosts(), {}, {}, print)
    assert "web-01 could not be reached: " in trouble.value.detail


def a_playbook(tmp_path: Path, tasks: list[dict[str, object]]) -> Path:
    """A playbook of the test's own, with one role."""
    folder = tmp_path / "playbooks"
    role = folder / "roles" / "echo"
    for part in ("tasks", "meta"):
        (role / part).mkdir(parents=True)
    options = {"echo_values": {"type": "list", "default": []}, "echo_secret": {"type": "str", "default": ""}}
    (role / "meta" / "argument_specs.yml").write_text(yaml.safe_dump({"argument_specs": {"main": {"options": options}}}))
    (role / "tasks" / "main.yml").write_text(yaml.safe_dump(tasks))
    play = [{"name": "Echo", "hosts": "all", "gather_facts": False, "roles": [{"role": "echo"}]}]
    (folder / "echo.yml").write_text(yaml.safe_dump(play))
    return folder


def test_only_what_a_dead_process_of_ours_left_is_swept(tmp_path: Path) -> None:
    dead, alive, other = (tmp_path / name for name in (f"{SOCKETS}999999999-a", f"{SOCKETS}{os.getpid()}-b", f"{SOCKETS}x-c"))
    for folder in (dead, alive, other):
        folder.mkdir()
    (tmp_path / f"{SOCKETS}999999998-d").symlink_to(alive)
    sweep(tmp_path)
    assert (dead.exists(), alive.exists(), other.exists()) == (False, True, True)
