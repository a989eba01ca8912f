"""What Ansible's modules do to an emulated host: those that the roles under `ansible/` call, with the arguments they give.

A module or an argument that is not here fails and says so. Arguments arrive as the play wrote them (`Any`, the wire), so defaults
are filled in by each function's signature. Check mode is a run on a copy of the host.
"""

from __future__ import annotations

import copy
import inspect
import posixpath
import re
import shlex
from collections.abc import Callable
from typing import Any
from zoneinfo import available_timezones

from cluster_sim.guests.emulated import drives, nginx
from cluster_sim.guests.emulated.host import CODENAME, MARK, VERSION, Entry, Host, HostProblem
from cluster_sim.guests.emulated.packages import CATALOGUE
from cluster_sim.guests.emulated.payload import Payload
from cluster_sim.guests.emulated.shell import Session

Answer = dict[str, Any]
TRUE = (True, 1, "yes", "true", "True", "on", "1")
UNHEEDED = frozenset(
    {
        "_original_basename",
        "cache_valid_time",
        "gather_subset",
        "gather_timeout",
        "get_checksum",
        "get_size",
        "install_recommends",
    }
    | {"lock_timeout", "update_cache"}
)
"""Arguments that would change nothing here."""
NOT_EMULATED = "This is an emulated guest; one with a body (see `python -m cluster_sim.guests probe`) runs every module."


def run_module(host: Host, user: str, payload: Payload) -> Answer:
    """The module's answer, as JSON has it; a failure is an answer too."""
    module = MODULES.get(payload.name) if payload.module.startswith("ansible.modules.") else None
    if module is None:
        return {"failed": True, "changed": False, "msg": f"The module {payload.module} is not emulated. {NOT_EMULATED}"}
    if payload.check and payload.name == "command":
        return {"changed": False, "skipped": True, "msg": "Command would have run if not in check mode"}
    there = copy.deepcopy(host) if payload.check else host
    try:
        call = inspect.signature(module).bind(
            there, user, **{name: value for name, value in payload.arguments.items() if name not in UNHEEDED}
        )
        answer = module(*call.args, **call.kwargs)
    except HostProblem as problem:
        answer = {"failed": True, "msg": str(problem)}
    except (TypeError, ValueError) as problem:
        text = f"The emulated module {payload.name} does not understand these arguments: {problem}. {NOT_EMULATED}"
        answer = {"failed": True, "msg": text}
    return {"changed": False} | answer


def _yes(value: object) -> bool:
    return value in TRUE


def _must_be_root(user: str) -> None:
    if user != "root":
        raise HostProblem(f"{user} may not do that: this task needs `become: true`")


# Files


def mode_of(wanted: object, mode: int) -> int:
    """The mode after `wanted`, octal or `u+rwx`, is asked for one that is `mode`."""
    text = f"{wanted:04o}" if isinstance(wanted, int) else str(wanted)
    if re.fullmatch(r"[0-7]{3,5}", text):
        return int(text, 8)
    if added := re.fullmatch(r"u\+([rwx]+)", text):
        return mode | sum({"r": 0o400, "w": 0o200, "x": 0o100}[letter] for letter in set(added[1]))
    raise HostProblem(f"the mode {text} is not emulated: write it in octal digits")


def _give(host: Host, entry: Entry, mode: object, owner: object, group: object) -> bool:
    """Sets mode, owner and group as asked; whether anything changed."""
    before = (entry.mode, entry.owner, entry.group)
    if mode is not None:
        entry.mode = mode_of(mode, entry.mode)
    if owner is not None:
        if str(owner) not in host.accounts:
            raise HostProblem(f"chown failed: failed to look up user {owner}")
        entry.owner = str(owner)
    if group is not None:
        if str(group) not in host.groups:
            raise HostProblem(f"chgrp failed: failed to look up group {group}")
        entry.group = str(group)
    return before != (entry.mode, entry.owner, entry.group)


def _described(host: Host, path: str, entry: Entry) -> Answer:
    uid = host.accounts[entry.owner].uid if entry.owner in host.accounts else 0
    ids = {"uid": uid, "gid": host.groups.get(entry.group, 0), "owner": entry.owner, "group": entry.group}
    return {"path": path, "mode": f"{entry.mode:04o}", "state": entry.kind, "size": len(entry.data), **ids}


def _at_home(host: Host, user: str, path: object) -> str:
    text = str(path)
    return host.account(user).home + text[1:] if text.startswith("~/") else text


def _stat(host: Host, user: str, path: Any, follow: Any = False, checksum_algorithm: str = "sha1") -> Answer:
    if checksum_algorithm != "sha1":
        raise HostProblem(f"checksums by {checksum_algorithm} are not emulated")
    path = _at_home(host, user, path)
    entry = host.entry(path, follow=_yes(follow))
    if entry is None:
        return {"stat": {"exists": False}}
    described = _described(host, path, entry)
    seen: Answer = {name: described[name] for name in ("path", "mode", "uid", "gid", "size")}
    seen |= {"exists": True, "isreg": entry.kind == "file", "isdir": entry.kind == "directory", "islnk": entry.kind == "link"}
    seen |= {"pw_name": entry.owner, "gr_name": entry.group}
    if entry.kind == "file":
        seen["checksum"] = entry.checksum
    return {"stat": seen}


def _copy(
    host: Host,
    user: str,
    src: str,
    dest: Any,
    mode: Any = None,
    owner: Any = None,
    group: Any = None,
    validate: str = "",
    follow: Any = False,
    checksum: str = "",
) -> Answer:
    path, data = _at_home(host, user, dest), host.read(src)
    existing = host.entry(path)
    if existing is not None and existing.kind == "directory":
        raise HostProblem(f"a copy into the folder {path} is not emulated: name the file")
    if checksum and Entry("file", data).checksum != checksum:
        raise HostProblem("Copied file does not match the expected checksum. Transfer failed.")
    if validate:
        heard = _run(host, user, shlex.split(validate.replace("%s", src)), b"")
        if heard["rc"] != 0:
            raise HostProblem(f"failed to validate: rc:{heard['rc']} error:{heard['stderr']}")
    changed = existing is None or existing.data != data
    entry = host.write(path, data, owner=user)
    changed = _give(host, entry, mode, owner, group) or changed
    host.remove(src)
    return {"changed": changed, "dest": path, "src": src, "checksum": entry.checksum, **_described(host, path, entry)}


def _file(
    host: Host,
    user: str,
    path: Any = None,
    dest: Any = None,
    src: Any = None,
    state: str = "file",
    mode: Any = None,
    owner: Any = None,
    group: Any = None,
    recurse: Any = False,
) -> Answer:
    path = _at_home(host, user, dest if path is None else path)
    if state not in ("file", "directory", "link") or _yes(recurse):
        raise HostProblem(f"the state {state} of a file is not emulated, nor is recurse")
    if state == "link":
        return _link(host, path, str(src))
    entry = host.entry(path)
    made = entry is None
    if made and state == "file":
        raise HostProblem(f"file ({path}) is absent, cannot continue")
    if entry is not None and entry.kind != state:
        raise HostProblem(f"{path} already exists as a {entry.kind}")
    if made:
        host.make_folder(path, owner=user)
    entry = host.existing(path)
    changed = _give(host, entry, mode, owner, group)
    return {"changed": made or changed, **_described(host, path, entry)}


def _link(host: Host, path: str, source: str) -> Answer:
    entry = host.entry(path, follow=False)
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), source))
    if host.entry(target) is None and target.removeprefix("/usr/share/zoneinfo/") not in available_timezones():
        raise HostProblem("src file does not exist, use 'force=yes' if you really want to create the link")
    if entry is not None and entry.kind != "link":
        raise HostProblem(f"refusing to convert from {entry.kind} to symlink for {path}")
    changed = entry is None or entry.target != source
    host.files[host.resolve(path, follow=False)] = Entry("link", target=source, mode=0o777)
    return {"changed": changed, "dest": path, "src": source, "state": "link"}


# Packages, services and accounts


def _apt(host: Host, user: str, name: Any, state: str = "present", policy_rc_d: Any = None) -> Answer:
    _must_be_root(user)
    if state != "present":
        raise HostProblem(f"the state {state} of a package is not emulated")
    before = set(host.packages)
    for each in name if isinstance(name, list) else [name]:
        if each not in CATALOGUE:
            known = f"the emulated guest knows {len(CATALOGUE)} of Debian's packages"
            raise HostProblem(f"No package matching '{each}' is available: {known}. {NOT_EMULATED}")
        host.install(each, started=policy_rc_d is None)
    return {"changed": before != host.packages}


def _service(host: Host, user: str, name: str, state: str = "", enabled: Any = None, daemon_reload: Any = None) -> Answer:
    _must_be_root(user)
    if name.endswith(".mount"):
        return {"changed": drives.start(host, name), "name": name, "enabled": True}
    service = host.services.get(name)
    if service is None:
        raise HostProblem(f"Could not find the requested service {name}: host")
    if state not in ("", "started", "restarted", "reloaded", "stopped"):
        raise HostProblem(f"value of state must be one of: reloaded, restarted, started, stopped, got: {state}")
    before = copy.copy(service)
    if enabled is not None:
        service.enabled = _yes(enabled)
    if state and state != "stopped" and name == "nginx":
        nginx.check(host)
    service.running = state != "stopped" if state else service.running
    return {"changed": before != service or state in ("restarted", "reloaded"), "name": name, "enabled": service.enabled}


def _user(host: Host, user: str, name: str, shell: Any = None, password: Any = None) -> Answer:
    _must_be_root(user)
    before = copy.deepcopy(host.accounts.get(name))
    account = host.accounts.get(name) or host.add_account(name, f"/home/{name}")
    host.make_folder(account.home, 0o755, name)
    account.shell = account.shell if shell is None else str(shell)
    account.password = account.password if password is None else str(password)
    return {"changed": before != account, "name": name, "uid": account.uid, "home": account.home, "shell": account.shell}


# The rest


def _ping(host: Host, user: str, data: Any = "pong") -> Answer:
    return {"ping": data}


def _command(host: Host, user: str, argv: list[Any], stdin: Any = None) -> Answer:
    words = [str(word) for word in argv]
    heard = _run(host, user, words, b"" if stdin is None else f"{stdin}\n".encode())
    failed = {"failed": True, "msg": "non-zero return code"} if heard["rc"] != 0 else {}
    return {"changed": True, "cmd": words, "delta": "0:00:00.000000", **heard, **failed}


def _run(host: Host, user: str, words: list[str], given: bytes) -> Answer:
    from cluster_sim.guests.emulated.commands import run_command  # each needs the other

    out, complaints = bytearray(), bytearray()
    status = run_command(host, Session(user, lambda: given, out.extend, complaints.extend), words)
    stdout, stderr = (bytes(text).decode("utf-8", "replace").rstrip("\n") for text in (out, complaints))
    return {"rc": status, "stdout": stdout, "stderr": stderr}


def _setup(host: Host, user: str) -> Answer:
    facts = {
        "hostname": host.hostname,
        "distribution": "Debian",
        "distribution_major_version": VERSION.partition(".")[0],
        "distribution_version": VERSION,
        "distribution_release": CODENAME,
        "os_family": "Debian",
        "pkg_mgr": "apt",
        "service_mgr": "systemd",
        "system": "Linux",
        "virtualization_type": "cluster_sim-emulated",
        "default_ipv4": {"address": host.address, "interface": "eth0"},
        "local": {"cluster_sim": {"emulated": True, "mark": MARK}},
    }
    return {"ansible_facts": {f"ansible_{name}": value for name, value in facts.items()}}


MODULES: dict[str, Callable[..., Answer]] = {
    "ping": _ping,
    "setup": _setup,
    "stat": _stat,
    "copy": _copy,
    "file": _file,
    "apt": _apt,
    "service": _service,
    "systemd": _service,
    "user": _user,
    "command": _command,
}
