"""The machines of a run over SSH: its ssh_config, the first contact with its host key, and commands. The `ssh` program does the talking;
what a machine should look like is decided elsewhere."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from tools.clients.files import alone, write_once, write_private
from tools.clients.process import UTF8
from tools.rules.names.foreign import theirs
from tools.values.trouble import RequestProblem, WorldProblem

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
LOOKS_MAX = 60
LOOK_SECONDS = 2.0
CONNECT_SECONDS = 10
SETTLE_SECONDS_MAX = 600
"""How long cloud-init may take: it may be upgrading packages."""
OUTPUT_CHARACTERS_MAX = 20_000
SSH_FAILED = 255

Say = Callable[[str], None]


@dataclass(frozen=True)
class Host:
    """A machine as SSH needs to know it. Its name is its alias."""

    name: str
    address: str
    user: str
    group: str = ""
    """Of the inventory, besides that of all; empty: none."""


@dataclass(frozen=True)
class Answer:
    """How a command ended."""

    code: int
    output: str
    """Standard output; of a failed command, standard error too."""


def config_file(run_folder: Path) -> Path:
    return run_folder / "ssh_config"


def known_hosts_file(run_folder: Path) -> Path:
    return run_folder / "known_hosts"


def write_ssh_config(run_folder: Path, hosts: Sequence[Host], proxy_command: str = "") -> Path:
    """Adds or renews the hosts in the run's ssh_config; hosts of the run's other parts stay."""
    path = config_file(run_folder)
    made = {host.name: _block(run_folder, host, proxy_command) for host in hosts}
    head = f"# The machines of this run. Use it as: ssh -F {shlex.quote(str(path))} <machine>\n"
    with alone(run_folder):
        blocks = (_blocks(path.read_text()) if path.exists() else {}) | made
        return write_private(path, "\n".join([head, *(blocks[name] for name in sorted(blocks))]))


def _blocks(text: str) -> dict[str, str]:
    parts = re.split(r"^(?=Host )", text, flags=re.MULTILINE)[1:]
    return {part.split()[1]: part.rstrip("\n") + "\n" for part in parts}


def _block(run_folder: Path, host: Host, proxy_command: str) -> str:
    if not NAME.fullmatch(host.name):
        raise RequestProblem("A machine's name cannot be used.", f"{host.name!r} is not a host name.", "Use a-z, 0-9 and hyphens.")
    if not USER.fullmatch(host.user):
        raise RequestProblem("An account's name cannot be used.", f"{host.user!r} is not an account name.", "Use a-z, 0-9, _ and -.")
    if any(sign in proxy_command for sign in "\r\n\0"):
        raise RequestProblem("A setting cannot be taken.", "BERTH_GUEST_PROXY_COMMAND has more than one line.", "Write it on one line.")
    lines = [
        f"Host {host.name}",
        f"HostName {_address(host.address)}",
        f"User {host.user}",
        f"IdentityFile {_quoted(run_folder / 'secrets' / 'ssh_key')}",
        "IdentitiesOnly yes",
        f"UserKnownHostsFile {_quoted(known_hosts_file(run_folder))}",
        "GlobalKnownHostsFile /dev/null",
        # The key belongs to the machine, whatever address it has today.
        f"HostKeyAlias {host.name}",
        "HashKnownHosts no",
        "UpdateHostKeys no",
        "CheckHostIP no",
        # The first contact, made when the run waits for the machine, is the only one that may take a new key.
        "StrictHostKeyChecking yes",
        "PasswordAuthentication no",
        "ForwardAgent no",
    ]
    if proxy_command:
        lines.append(f"ProxyCommand {proxy_command}")
    return "\n    ".join(lines) + "\n"


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise WorldProblem(
            "A machine's address cannot be used.",
            f"{text[:60]!r} is not an IP address.",
            "Look at the machine's network in the cluster, then say retry.",
            retryable=True,
        ) from None


def _quoted(path: Path) -> str:
    """As ssh_config wants it: in quotes, and with its own signs doubled."""
    text = str(path)
    if any(sign in text for sign in '"\r\n\0') or "${" in text:
        raise RequestProblem("The home folder cannot be used.", f"OpenSSH cannot be told of {text!r}.", "Set BERTH_HOME to a plainer path.")
    return '"' + text.replace("\\", "\\\\").replace("%", "%%") + '"'


def wait_for(
    run_folder: Path,
    host: Host,
    say: Say,
    *,
    unreached: str,
    pinned_sha256: str = "",
    looks_max: int = LOOKS_MAX,
    pause: Callable[[float], None] = time.sleep,
) -> str:
    """Returns the fingerprint of the machine's host key when it lets us in. The key is kept at the first contact and must stay the same.
    `unreached`: where to look when it never does."""
    path = known_hosts_file(run_folder)
    write_once(path, b"")
    if pinned_sha256 and fingerprint(run_folder, host.name) != pinned_sha256:
        raise _key_changed(host)
    last = ""
    for look in range(looks_max):
        answer = _ssh(run_folder, host.name, "true", CONNECT_SECONDS * 2, ("-o", "StrictHostKeyChecking=accept-new"))
        if answer.code == 0:
            return fingerprint(run_folder, host.name)
        last = answer.output.strip().rpartition("\n")[2] or "nothing"
        if "IDENTIFICATION HAS CHANGED" in answer.output or "Host key verification failed" in answer.output:
            raise _key_changed(host)
        if look and look % 10 == 0:
            say(f"{host.name}: still waiting for SSH at {host.address}.")
        pause(LOOK_SECONDS if look > 3 else LOOK_SECONDS / 4)
    raise WorldProblem(
        "A machine does not answer over SSH.",
        f"{host.name} at {host.address} did not let {host.user} in after {looks_max} attempts. The last one said: {theirs(last)}.",
        f"{unreached} Then say retry.",
        retryable=True,
    )


def forget(run_folder: Path, name: str) -> None:
    """The machine's host key: at the next contact it shows a new one. Its line becomes a comment where it stands, since ssh may be adding
    those of other parts meanwhile."""
    path, at = known_hosts_file(run_folder), 0
    if not path.exists():
        return
    with path.open("r+b") as file:
        for line in file.read().splitlines(keepends=True):
            if line.split()[:1] == [name.encode()]:
                file.seek(at)
                file.write(b"#")
            at += len(line)


def settle(run_folder: Path, host: Host, say: Say) -> None:
    """Waits until cloud-init has done what it does at a machine's first boot."""
    answer = run_on(run_folder, host.name, "cloud-init status --wait", SETTLE_SECONDS_MAX)
    if answer.code == SSH_FAILED:
        raise _lost(host.name, answer)
    # 127: the template has no cloud-init. 2: done, with warnings.
    if answer.code == 1:
        say(
            f"{host.name}: cloud-init reports an error ({' '.join(answer.output.split())[:200]}); going on, because it may not matter here."
        )


def deployment(run_folder: Path, name: str) -> str:
    """What the machine itself says it is: DEPLOYMENT of /etc/machine-info, as systemd documents it. Empty when it says nothing."""
    answer = run_on(run_folder, name, "cat /etc/machine-info", CONNECT_SECONDS * 3)
    if answer.code == SSH_FAILED:
        raise _lost(name, answer)
    return deployment_in(answer.output)


def deployment_in(machine_info: str) -> str:
    for line in machine_info.splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "DEPLOYMENT":
            return value.strip().strip("\"'")
    return ""


def run_on(run_folder: Path, name: str, command: str, seconds_max: float) -> Answer:
    """Runs a shell command on a machine whose key is known already."""
    return _ssh(run_folder, name, command, seconds_max)


def _ssh(run_folder: Path, name: str, command: str, seconds_max: float, options: Sequence[str] = ()) -> Answer:
    return run_command(
        [
            "ssh",
            "-F",
            str(config_file(run_folder)),
            "-o",
            "BatchMode=yes",
            "-o",
            f"ConnectTimeout={CONNECT_SECONDS}",
            *options,
            name,
            command,
        ],
        seconds_max,
    )


def run_command(argv: Sequence[str], seconds_max: float, characters_max: int = OUTPUT_CHARACTERS_MAX) -> Answer:
    """Runs a program here, without input, for a bounded time, and returns a bounded answer."""
    try:
        done = subprocess.run(
            list(argv), stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds_max, env=environment(), check=False
        )
    except subprocess.TimeoutExpired:
        return Answer(SSH_FAILED, f"There was no answer within {seconds_max:.0f} s.")
    except FileNotFoundError:
        return Answer(127, f"There is no program {argv[0]} on this computer.")
    output = done.stdout.decode("utf-8", "replace")
    if done.returncode != 0:
        output += done.stderr.decode("utf-8", "replace")
    return Answer(done.returncode, output[:characters_max])


def environment() -> dict[str, str]:
    """What ssh and its proxy command may know of our own environment: no token of ours is among it."""
    wanted = ("PATH", "HOME", "USER", "LOGNAME", "SSH_AUTH_SOCK", "TMPDIR")
    return {name: os.environ[name] for name in wanted if name in os.environ} | UTF8


def fingerprint(run_folder: Path, name: str) -> str:
    """`SHA256:…` of the key that is known for the machine, as ssh-keygen prints it; empty when none is."""
    path = known_hosts_file(run_folder)
    if not path.exists():
        return ""
    keys = _known(path.read_text()).get(name, ())
    return "SHA256:" + base64.b64encode(hashlib.sha256(base64.b64decode(keys[0])).digest()).decode().rstrip("=") if keys else ""


def _known(text: str) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 3 and not line.startswith(("#", "@")):
            found[words[0]] = (*found.get(words[0], ()), words[2])
    return found


def _key_changed(host: Host) -> WorldProblem:
    return WorldProblem(
        "A machine's host key has changed.",
        f"{host.name} at {host.address} shows another key than at the first contact of this run. Somebody may be in between, "
        "or the machine was made anew behind our back.",
        f"If you made it anew yourself, delete the line of {host.name} in the run's known_hosts, then say retry.",
    )


def _lost(name: str, answer: Answer) -> WorldProblem:
    return WorldProblem(
        "A machine was lost over SSH.",
        f"{name} let us in before, and now: {theirs(answer.output)}.",
        "Say retry when it answers again.",
        retryable=True,
    )
