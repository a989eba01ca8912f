"""Runs one playbook with ansible-runner and says what happens, task by task. What the playbook does stands in ansible/.

Ansible executes Jinja that it finds in variables, so every value passes `variables_json`, which marks each string unsafe.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import Any

import ansible_runner
import yaml

from tools.clients.files import private_folder, write_private
from tools.clients.shipped import PLAYBOOKS
from tools.clients.ssh import Host, config_file, environment, run_command
from tools.clients.tracing import span
from tools.rules.names.foreign import theirs
from tools.values.trouble import RequestProblem, WorldProblem
from tools.values.value import Json

NAME = re.compile(r"[a-z][a-z0-9_]*")
INNER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
JOB_SECONDS_MAX = 1800
IDLE_SECONDS_MAX = 600
LOOK_SECONDS = 1
QUIET_SECONDS_MAX = 10.0
"""After which a task that takes long says that it goes on."""
FORKS_MAX = 20
SOCKETS = "berth-ssh-"
"""How the folders for the sockets of SSH begin, before the number of the process."""
PROCESSES_CHARACTERS_MAX = 50_000_000
CHECKS = "Validating arguments against arg spec"
"""A task that Ansible adds itself."""
MESSAGE_CHARACTERS_MAX = 600

Say = Callable[[str], None]


@dataclass(frozen=True)
class HostResult:
    """What a playbook did on one machine."""

    ok: int = 0
    changed: int = 0
    failed: int = 0
    unreachable: int = 0
    message: str = ""
    """Of the task that failed."""


def run_playbook(
    run_folder: Path,
    part_folder: Path,
    playbook: str,
    hosts: Sequence[Host],
    variables: Mapping[str, Json],
    secrets: Mapping[str, Json],
    say: Say,
    cancelled: Callable[[], bool] = lambda: False,
    folder: Path = PLAYBOOKS,
    seconds_max: int = JOB_SECONDS_MAX,
) -> dict[str, HostResult]:
    """Raises WorldProblem with the failing task's words when a machine failed or could not be reached.

    `secrets` are variables too; they stand in a file of their own only while the playbook runs.
    """
    if not (folder / playbook).is_file() or "/" in playbook:
        raise RequestProblem("There is no such playbook.", f"{playbook} is not among those in {folder}.", "Choose another capability.")
    allowed = options_of(folder, playbook)
    plain, hidden = variables_json(variables, allowed), variables_json(secrets, allowed)
    private = part_folder / "ansible"
    _end_left(private)
    # A folder from before would silently keep old files in force.
    shutil.rmtree(private, ignore_errors=True)
    private_folder(private)
    write_private(private / "inventory.json", inventory_json(hosts))
    write_private(private / "variables.json", plain)
    secret_file = write_private(private / "secret_variables.json", hidden)
    # A socket's address holds about a hundred bytes, and the run folder may be deep.
    sweep(Path(tempfile.gettempdir()))
    sockets = Path(tempfile.mkdtemp(prefix=f"{SOCKETS}{os.getpid()}-"))
    ours = _ansible_environment(run_folder, private, sockets, folder)
    story = Story(len(hosts), tuple(text for text in _texts(secrets) if len(text) >= 4), say)

    def look() -> bool:
        story.tick()
        return cancelled()

    try:
        runner = ansible_runner.interface.init_runner(
            private_data_dir=str(private),
            playbook=str(folder / playbook),
            inventory=str(private / "inventory.json"),
            cmdline=f"-e @{quote(str(private / 'variables.json'))} -e @{quote(str(secret_file))}",
            forks=min(FORKS_MAX, max(1, len(hosts))),
            envvars=ours,
            suppress_env_files=True,
            suppress_ansible_output=True,
            quiet=True,
            settings={"job_timeout": seconds_max, "idle_timeout": IDLE_SECONDS_MAX, "pexpect_timeout": LOOK_SECONDS},
            event_handler=story.hear,
            # Without one, ansible-runner would replace the process's own signal handlers.
            cancel_callback=look,
        )
        runner.config.env = _clean(runner.config.env) | ours
        with span("ansible-playbook", playbook=playbook):
            runner.run()
    finally:
        secret_file.unlink(missing_ok=True)
        _end_left(private)
        _close(sockets)
        for path in private.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)
    return _judge(runner.status, story, seconds_max)


def _clean(whole: Mapping[str, str]) -> dict[str, str]:
    """ansible-runner adds its own to a copy of our environment, tokens and settings of the operator's own Ansible included."""
    added = {name: value for name, value in whole.items() if os.environ.get(name) != value}
    # ansible-playbook stands beside the Python that runs us, which need not be on PATH.
    path = f"{sysconfig.get_path('scripts')}:{environment().get('PATH', '/usr/local/bin:/usr/bin:/bin')}"
    # It would keep the machines' facts in files.
    return added | environment() | {"PATH": path, "ANSIBLE_CACHE_PLUGIN": "memory"}


def _ansible_environment(run_folder: Path, private: Path, sockets: Path, folder: Path) -> dict[str, str]:
    return {
        "ANSIBLE_CONFIG": str(PLAYBOOKS / "ansible.cfg"),
        "ANSIBLE_HOME": str(private / "home"),
        "ANSIBLE_LOCAL_TEMP": str(private / "tmp"),
        "ANSIBLE_ROLES_PATH": str(folder / "roles"),
        "ANSIBLE_COLLECTIONS_PATH": str(private / "collections"),
        "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "False",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(sockets),
        "ANSIBLE_SSH_ARGS": f"-F {quote(str(config_file(run_folder)))} -o ControlMaster=auto -o ControlPersist=60s",
        "ANSIBLE_HOST_KEY_CHECKING": "True",
    }


def inventory_json(hosts: Sequence[Host]) -> str:
    """Names, addresses and accounts were checked when the ssh_config was written; Ansible connects by the name alone. Groups are by the
    machines' own."""
    lines = {
        host.name: {
            "ansible_user": host.user,
            "ansible_python_interpreter": "/usr/bin/python3",
            "machine_address": unsafe(host.address),
        }
        for host in hosts
    }
    groups: dict[str, Json] = {}
    for host in hosts:
        if host.group:
            groups.setdefault(host.group, {"hosts": {}})["hosts"][host.name] = {}
    return json.dumps({"all": {"hosts": lines} | ({"children": groups} if groups else {})}, indent=1)


def variables_json(variables: Mapping[str, Json], allowed: frozenset[str]) -> str:
    """The only way for a value into a playbook: known names, and every string marked so that Ansible never evaluates it."""
    for name in variables:
        if name not in allowed or not NAME.fullmatch(name) or name.startswith("ansible_"):
            raise RequestProblem(
                "A variable cannot be set.",
                f"The playbook's roles have no option {name[:60]!r}.",
                "Its options stand in ansible/roles/*/meta/argument_specs.yml.",
            )
    return json.dumps({name: unsafe(value) for name, value in variables.items()}, indent=1)


def _texts(value: Json) -> Iterator[str]:
    """Every text in it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)


def unsafe(value: Json) -> Json:
    if isinstance(value, str):
        return {"__ansible_unsafe": value}
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str) or not INNER_NAME.fullmatch(name):
                raise RequestProblem("A variable cannot be set.", f"{str(name)[:60]!r} is not a name.", "Use letters, digits and _.")
        return {name: unsafe(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [unsafe(inner) for inner in value]
    return value


def options_of(folder: Path, playbook: str) -> frozenset[str]:
    """The options that the playbook's roles declare."""
    plays = yaml.safe_load((folder / playbook).read_text())
    roles = [entry["role"] for play in plays for entry in play["roles"]]
    specs = (yaml.safe_load((folder / "roles" / role / "meta" / "argument_specs.yml").read_text()) for role in roles)
    return frozenset(name for spec in specs for name in spec["argument_specs"]["main"]["options"])


@dataclass
class Story:
    """Turns Ansible's events into sentences and counts. Called by ansible-runner, in the thread that runs the playbook."""

    host_count: int
    secrets: tuple[str, ...]
    say: Say
    clock: Callable[[], float] = time.monotonic
    results: dict[str, HostResult] = field(default_factory=dict)
    _messages: dict[str, str] = field(default_factory=dict)
    _task: str = ""
    _changed: int = 0
    _done: int = 0
    _hidden: bool = False
    _spoken: float = 0.0

    def __post_init__(self) -> None:
        self._spoken = self.clock()

    def hear(self, event: dict[str, Any]) -> bool:
        kind, data = event.get("event", ""), event.get("event_data") or {}
        if kind in ("playbook_on_task_start", "playbook_on_handler_task_start"):
            self.finish()
            role, task = data.get("role"), str(data.get("task", ""))
            self._task = f"{role}: {task}" if role else task
        elif kind == "runner_on_ok":
            outcome = data.get("res") or {}
            self._changed += bool(outcome.get("changed"))
            self._hidden |= bool(outcome.get("censored"))
            self._done += 1
            if self._done == self.host_count:
                self.finish()
        elif kind in ("runner_on_failed", "runner_on_unreachable"):
            # What a role rescues is no failure; the counts at the end tell.
            self._messages[str(data.get("host", ""))] = f"{self._task}: {self._words(data.get('res') or {})}"
        elif kind == "playbook_on_stats":
            self.finish()
            for host in data.get("processed") or {}:
                ok, changed, failed, unreachable = (
                    int((data.get(key) or {}).get(host, 0)) for key in ("ok", "changed", "failures", "dark")
                )
                message = self._messages.get(host, "") if failed or unreachable else ""
                self.results[host] = HostResult(ok, changed, failed, unreachable, message)
        # What was said is kept in the run's journal; ansible-runner need not keep the events as well.
        return False

    def tick(self) -> None:
        """Called about once a second."""
        quiet = self.clock() - self._spoken
        if self._task and quiet > QUIET_SECONDS_MAX:
            self._tell(f"{self._task} … still at it")

    def _tell(self, line: str) -> None:
        self._spoken = self.clock()
        self.say(line)

    def _words(self, outcome: dict[str, Any]) -> str:
        """The failing module's own message, on one line, without what is secret and without control characters."""
        if outcome.get("censored"):
            return "it failed, and its output is hidden because it may hold a secret."
        told = [str(outcome.get(key) or "") for key in ("msg", "stderr", "module_stderr")]
        failed = [str(r.get("msg", "")) for r in outcome.get("results", ()) if isinstance(r, dict) and r.get("failed")]
        text = " ".join(" ".join(told + failed).split()) or "it failed without a word."
        for secret in self.secrets:
            text = text.replace(secret, "(hidden)")
        return "".join(sign for sign in text if sign.isprintable())[:MESSAGE_CHARACTERS_MAX]

    def finish(self) -> None:
        """Says how the task ended that was going on."""
        if self._task and self._done and CHECKS not in self._task:
            # The outcome of a task that handles a secret is hidden as a whole.
            word = "changed" if self._changed else "done" if self._hidden else "as it should be"
            where = f" on {self._changed or self._done} of {self.host_count}" if self.host_count > 1 else ""
            self._tell(f"{self._task} … {word}{where}")
        self._task, self._changed, self._done, self._hidden = "", 0, 0, False


_SAYS = ("says", "could not be reached:")


def _judge(status: str, story: Story, seconds_max: int) -> dict[str, HostResult]:
    bad = {name: r for name, r in story.results.items() if r.failed or r.unreachable}
    if status == "canceled":
        raise WorldProblem(
            "Configuring was cancelled.",
            "The playbook was stopped; a task that had begun on a machine may still end there.",
            "Say retry to go on: what is done already is not done again.",
            retryable=True,
        )
    if status == "timeout":
        raise WorldProblem(
            "Configuring took too long.",
            f"The playbook did not end within {seconds_max} s.",
            "Say retry to go on.",
            retryable=True,
        )
    if bad:
        raise WorldProblem(
            "Configuring failed.",
            " ".join(f"{name} {_SAYS[bool(r.unreachable)]} {theirs(r.message)}." for name, r in sorted(bad.items())[:5]),
            "Correct what it says, then say retry: what is done already is not done again.",
            retryable=True,
        )
    if status != "successful":
        raise WorldProblem(
            "Configuring failed.",
            "Ansible ended and names no machine that failed; its output stands in the part's folder under ansible/artifacts.",
            "Say retry; if it happens again, run `berth doctor`.",
            retryable=True,
        )
    return story.results


def _end_left(private: Path) -> None:
    """Ends what is left of a playbook: Ansible's workers, which have sessions of their own and so outlive being cancelled, and
    the playbook of an attempt whose own process was killed. Two of them on one machine would wait for each other's locks."""
    told = run_command(["ps", "-A", "-ww", "-o", "pid=,args="], 10, PROCESSES_CHARACTERS_MAX)
    for line in told.output.splitlines():
        pid, _, words = line.strip().partition(" ")
        if f"-e @{private / 'variables.json'} " in words and int(pid) != os.getpid():
            with contextlib.suppress(OSError):
                os.kill(int(pid), signal.SIGKILL)


def sweep(folder: Path) -> None:
    """What playbooks left whose process was killed: it is named by its process, and is ours."""
    for path in folder.glob(f"{SOCKETS}*-*"):
        owner = path.name.removeprefix(SOCKETS).partition("-")[0]
        with contextlib.suppress(OSError):  # Somebody else sweeps, too.
            if owner.isdecimal() and not Path("/proc", owner).exists() and path.lstat().st_uid == os.getuid() and not path.is_symlink():
                shutil.rmtree(path)


def _close(sockets: Path) -> None:
    """Ends the SSH connections that were kept open between tasks."""
    for path in sockets.iterdir():
        if path.is_socket():
            run_command(["ssh", "-F", "none", "-o", f"ControlPath={path}", "-O", "exit", "machine"], 10)
    shutil.rmtree(sockets, ignore_errors=True)
