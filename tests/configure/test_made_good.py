"""A run that is cut short between a changed file and whatever is to read it: the next one makes it good, and the one after changes nothing.

The cut is a real cancel. So that it falls where it should, the roles are copied and one task that takes long is put behind the file.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster_sim.guests import Bodies
from tools.clients.ansible import run_playbook
from tools.clients.shipped import PLAYBOOKS
from tools.pipeline.configure import configure, wait
from tools.pipeline.context import PartContext
from tools.pipeline.verify import verify
from tools.values.manifest import Configure
from tools.values.trouble import WorldProblem

from .guests import PASSWORD, context_for, spec_for

pytestmark = pytest.mark.systems

REACHED = "/run/reached"
NOTHING = "Configured 1 machine: 0 changes made."
NUMBERS = count(33)
Guest = Callable[[str], PartContext]


@pytest.fixture(scope="module")
def guest(bodies: Bodies, run_folder: Path) -> Iterator[Guest]:
    """A machine of this file's own: the part of a capability, once it answers."""
    booted: list[str] = []

    def boot(capability: str) -> PartContext:
        number = next(NUMBERS)
        name, address = f"own-{number}", f"10.20.0.{number}"
        bodies.boot(spec_for(name, address, run_folder))
        booted.append(name)
        (run_folder / "secrets" / "database_password").write_text(PASSWORD)
        context = context_for(capability, run_folder, bodies.proxy_command or "", (name, address))
        return replace(context, machines=wait(context, quiet))

    yield boot
    for name in booted:
        bodies.destroy(name)


def quiet(_: str) -> None:
    pass


def cut_short(bodies: Bodies, context: PartContext, folder: Path, role: str, task: str) -> None:
    """Configures until that task is done, and is cancelled then."""
    shutil.copytree(PLAYBOOKS, folder)
    tasks = folder / "roles" / role / "tasks" / "main.yml"
    tasks.write_text(yaml.safe_dump(list(_with_a_stop(yaml.safe_load(tasks.read_text()), task)), sort_keys=False))
    machine = name_of(context)
    wanted = context.part.configure
    assert wanted is not None
    secrets = {name: PASSWORD for name, value in wanted.variables.items() if isinstance(value, dict) and "secret" in value}
    variables = {name: value for name, value in wanted.variables.items() if name not in secrets}

    def reached() -> bool:
        return bodies.exec(machine, ["test", "-e", REACHED]).returncode == 0

    with pytest.raises(WorldProblem, match="cancelled"):
        run_playbook(
            context.run_folder,
            context.part_folder,
            wanted.playbook,
            context.hosts(),
            variables,
            secrets,
            quiet,
            cancelled=reached,
            folder=folder,
        )
    bodies.exec(machine, ["rm", REACHED])


def _with_a_stop(tasks: list[dict[str, Any]], name: str) -> Iterator[dict[str, Any]]:
    found = False
    for task in tasks:
        if "block" in task:
            task["block"] = list(_with_a_stop(task["block"], name)) if name in _names(task["block"]) else task["block"]
            found = found or name in _names(task["block"])
        yield task
        if task["name"] == name:
            found = True
            yield {
                "name": "Stop here",
                "ansible.builtin.command": {"argv": ["sh", "-c", f"touch {REACHED}; exec sleep 20"]},
                # The roles' own tasks may be an account's; this one may write where it has to.
                "become": True,
            }
    assert found or name not in _names(tasks)


def _names(tasks: list[dict[str, Any]]) -> list[str]:
    return [task["name"] for task in tasks]


def configured(context: PartContext) -> str:
    said: list[str] = []
    configure(context, said.append)
    return said[-1]


def with_variables(context: PartContext, **changed: Any) -> PartContext:
    wanted = context.part.configure
    assert wanted is not None
    new = Configure(kind="ansible", playbook=wanted.playbook, variables={**wanted.variables, **changed})
    return replace(context, part=context.part.model_copy(update={"configure": new}))


@pytest.fixture(scope="module")
def database(guest: Guest) -> PartContext:
    """Each test leaves it as this wants it."""
    context = guest("postgresql")
    configured(context)
    return context


def test_nginx_serves_the_site_after_a_first_run_was_cut_short(bodies: Bodies, guest: Guest, tmp_path: Path) -> None:
    context = guest("web_server")
    cut_short(bodies, context, tmp_path / "first", "nginx", "Set the server's settings")
    with pytest.raises(WorldProblem, match="Ask the site whether it is well: it ended with 22"):
        verify(context, quiet, quiet_pause)
    configured(context)
    assert any("It answered: ok" in sentence for sentence in verify(context, quiet)[0])
    assert configured(context) == NOTHING

    # A later change of what a worker may hold, cut short at the same place.
    larger = with_variables(context, nginx_worker_connections=2048)
    cut_short(bodies, larger, tmp_path / "second", "nginx", "Set the server's settings")
    # The file says what is wanted; the server was not told, and the guide's own command would find it out.
    assert b"worker_connections 2048" in read(bodies, name_of(context), "/etc/nginx/nginx.conf")
    assert open_files_max(bodies, context) == 2112
    configured(larger)
    assert open_files_max(bodies, context) == 4160
    with pytest.raises(WorldProblem, match="its workers run with these settings"):
        verify(context, quiet, quiet_pause)
    assert configured(larger) == NOTHING


def test_postgresql_takes_changed_settings_after_the_run_was_cut_short(bodies: Bodies, database: PartContext, tmp_path: Path) -> None:
    assert database.part.configure is not None
    settings = database.part.configure.variables["postgresql_settings"]
    # One of these needs a restart, the other a reload.
    configured(with_variables(database, postgresql_settings={**settings, "max_connections": "50", "work_mem": "5MB"}))
    cut_short(bodies, database, tmp_path / "ansible", "postgresql", "Set the server's settings")
    with pytest.raises(WorldProblem) as trouble:
        verify(database, quiet, quiet_pause)
    assert "“max_connections|120 " in trouble.value.detail
    assert "it answered `max_connections|50 " in trouble.value.detail
    configured(database)
    assert any(sentence.endswith("in force. It answered: max_connections|120") for sentence in verify(database, quiet)[0])
    assert configured(database) == NOTHING


def test_postgresql_lets_in_who_may_connect_after_the_run_was_cut_short(bodies: Bodies, database: PartContext, tmp_path: Path) -> None:
    # From now on only the machine itself may, until the server has read the file anew.
    configured(with_variables(database, postgresql_allowed=[]))
    cut_short(bodies, database, tmp_path / "ansible", "postgresql", "Set who may connect")
    assert not may_connect(bodies, database)
    started = running_since(bodies, database)
    configured(database)
    assert may_connect(bodies, database)
    assert running_since(bodies, database) == started, "nobody was thrown out for it"
    assert configured(database) == NOTHING


def test_a_database_that_was_left_down_is_started(bodies: Bodies, database: PartContext) -> None:
    # The service of Debian's package counts as started while its server is down.
    done = bodies.exec(name_of(database), ["pg_ctlcluster", "15", "main", "stop", "--mode", "immediate"])
    assert done.returncode == 0, done.stderr
    configured(database)
    assert verify(database, quiet)[0]
    assert configured(database) == NOTHING


def test_what_every_machine_gets_is_there_after_the_run_was_cut_short(bodies: Bodies, guest: Guest, tmp_path: Path) -> None:
    person = {"name": "anna", "public_keys": ["ssh-ed25519 AAAAC3Nz anna@example.org"]}
    context = with_variables(guest("virtual_machine"), base_timezone="Europe/Vienna", base_users=[person])
    for task in ("Install packages", "Name the time zone", "Make the accounts"):
        cut_short(bodies, context, tmp_path / task, "base", task)
    configured(context)
    assert read(bodies, name_of(context), "/home/anna/.ssh/authorized_keys") == b"ssh-ed25519 AAAAC3Nz anna@example.org\n"
    assert bodies.exec(name_of(context), ["date", "+%Z"]).stdout.strip() in ("CET", "CEST")
    assert verify(context, quiet)[0]
    assert configured(context) == NOTHING


def quiet_pause(_: float) -> None:
    pass


def name_of(context: PartContext) -> str:
    return context.machines[0].name


def read(bodies: Bodies, machine: str, path: str) -> bytes:
    done = bodies.exec(machine, ["cat", path])
    assert done.returncode == 0, done.stderr
    return done.stdout.encode()


ASK_TO_COME_IN = """
import socket, struct, sys
words = b"user\\0shop\\0database\\0shop\\0\\0"
with socket.create_connection((sys.argv[1], 5432), 5) as server:
    server.sendall(struct.pack("!ii", len(words) + 8, 3 << 16) + words)
    print(server.recv(1).decode())
"""


def may_connect(bodies: Bodies, context: PartContext) -> bool:
    """Whether it asks another machine of its network for the password (R), or shows it the door (E)."""
    done = bodies.exec("web-01", ["python3", "-c", ASK_TO_COME_IN, context.machines[0].address])
    assert done.stdout.strip() in ("R", "E"), done.stderr
    return done.stdout.strip() == "R"


def open_files_max(bodies: Bodies, context: PartContext) -> int:
    """Of nginx's newest process, a worker: twice the connections it may hold, and 64."""
    done = bodies.exec(name_of(context), ["sh", "-c", "grep files /proc/$(pgrep --newest --exact nginx)/limits"])
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[3])


def running_since(bodies: Bodies, context: PartContext) -> str:
    done = bodies.exec(name_of(context), ["systemctl", "show", "--property", "ActiveEnterTimestampMonotonic", "postgresql@15-main"])
    assert done.returncode == 0, done.stderr
    return done.stdout
