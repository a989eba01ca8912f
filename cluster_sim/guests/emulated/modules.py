"""What Ansible's modules do to an emulated host. A module that is not here fails and says so.

Arguments arrive as the play wrote them, so defaults are filled in here. Check mode is a run on a copy of the host.
"""

from __future__ import annotations

import base64
import copy
import posixpath
import re
import time
from collections.abc import Callable
from typing import Any
from zoneinfo import available_timezones

from cluster_sim.guests.emulated import network
from cluster_sim.guests.emulated.host import CODENAME, MARK, TEMPORARY, VERSION, Entry, Host, HostProblem, Service
from cluster_sim.guests.emulated.packages import CATALOGUE
from cluster_sim.guests.emulated.payload import Payload
from cluster_sim.guests.emulated.shell import Session

Arguments = dict[str, Any]
Answer = dict[str, Any]
Module = Callable[[Host, str, Arguments], Answer]
BUILTIN = ("ansible.modules.", "ansible.builtin.", "ansible.legacy.")
UNCHECKED = ("command", "shell")
TRUE = (True, 1, "yes", "true", "True", "on", "1")


def run_module(host: Host, user: str, payload: Payload) -> Answer:
    module = MODULES.get(payload.name) if _is_known(payload.module) else None
    shown = {name: value for name, value in payload.arguments.items() if "password" not in name}
    if module is None:
        text = f"The module {payload.module} is not emulated. {NOT_EMULATED}"
        return {"failed": True, "changed": False, "msg": text}
    if payload.check and payload.name in UNCHECKED:
        return {"changed": False, "skipped": True, "msg": "Command would have run if not in check mode"}
    try:
        answer = module(copy.deepcopy(host) if payload.check else host, user, payload.arguments)
    except HostProblem as problem:
        answer = {"failed": True, "msg": str(problem)}
    except (KeyError, TypeError, ValueError) as problem:
        answer = {
            "failed": True,
            "msg": f"The emulated module {payload.name} does not understand these arguments: {problem!r}. {NOT_EMULATED}",
        }
    return {"changed": False} | answer | {"invocation": {"module_args": shown}}


NOT_EMULATED = "This is an emulated guest; one with a body (see `python -m cluster_sim.guests probe`) runs every module."
COLLECTION_MODULES = ("ansible.posix.authorized_key", "community.general.timezone")


def _is_known(full: str) -> bool:
    if full.startswith(BUILTIN):
        return True
    parts = full.split(".")
    return len(parts) > 5 and parts[0] == "ansible_collections" and f"{parts[1]}.{parts[2]}.{parts[-1]}" in COLLECTION_MODULES


def _yes(value: object) -> bool:
    return value in TRUE


def _many(value: object) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return [str(part) for part in value]  # type: ignore[attr-defined]


# Files


def mode_of(wanted: object, entry: Entry) -> int:
    if isinstance(wanted, int):
        return wanted
    text = str(wanted)
    if re.fullmatch(r"[0-7]{3,5}", text):
        return int(text, 8)
    mode = entry.mode
    for part in text.split(","):
        match = re.fullmatch(r"([ugoa]*)([=+-])([rwxX]*)", part)
        if match is None:
            raise HostProblem(f"bad symbolic permission for mode: {text}")
        who = "ugo" if match[1] in ("", "a") or "a" in match[1] else match[1]
        bits = sum(
            {"r": 4, "w": 2, "x": 1, "X": 1 if entry.kind == "directory" or mode & 0o111 else 0}[letter]
            for letter in set(match[3])
        )
        for each in who:
            shift = {"u": 6, "g": 3, "o": 0}[each]
            kept = mode & (0o7 << shift)
            new = {"=": bits << shift, "+": kept | bits << shift, "-": kept & ~(bits << shift)}[match[2]]
            mode = mode & ~(0o7 << shift) | new
    return mode


def _attributes(host: Host, entry: Entry, arguments: Arguments) -> bool:
    """Sets mode, owner and group as asked; whether anything changed."""
    before = (entry.mode, entry.owner, entry.group)
    if arguments.get("mode") not in (None, "", "preserve"):
        entry.mode = mode_of(arguments["mode"], entry)
    owner, group = arguments.get("owner"), arguments.get("group")
    if owner is not None:
        owner = next((name for name, person in host.people.items() if str(person.uid) == str(owner)), str(owner))
        if owner not in host.people:
            raise HostProblem(f"chown failed: failed to look up user {owner}")
        entry.owner = owner
    if group is not None:
        group = next((name for name, gid in host.groups.items() if str(gid) == str(group)), str(group))
        if group not in host.groups:
            raise HostProblem(f"chgrp failed: failed to look up group {group}")
        entry.group = group
    return before != (entry.mode, entry.owner, entry.group)


def _described(host: Host, path: str, entry: Entry) -> Answer:
    owner = host.people.get(entry.owner)
    kinds = {"file": "file", "directory": "directory", "link": "link"}
    ids = {"uid": owner.uid if owner else 0, "gid": host.groups.get(entry.group, 0), "owner": entry.owner, "group": entry.group}
    return {"path": path, "mode": f"{entry.mode:04o}", "state": kinds[entry.kind], "size": len(entry.data), **ids}


def _expanded(host: Host, user: str, path: object) -> str:
    text = str(path)
    if text.startswith("~"):
        name, slash, rest = text[1:].partition("/")
        person = host.people.get(name or user)
        text = (person.home if person else "/") + slash + rest
    return text


def _stat(host: Host, user: str, arguments: Arguments) -> Answer:
    path = _expanded(host, user, arguments["path"])
    entry = host.entry(path, follow=_yes(arguments.get("follow", False)))
    if entry is None:
        return {"stat": {"exists": False}}
    described = _described(host, path, entry)
    seen = {
        "exists": True,
        "path": path,
        "mode": described["mode"],
        "isreg": entry.kind == "file",
        "isdir": entry.kind == "directory",
        "islnk": entry.kind == "link",
        "uid": described["uid"],
        "gid": described["gid"],
        "pw_name": entry.owner,
        "gr_name": entry.group,
        "size": len(entry.data),
        "executable": bool(entry.mode & 0o111),
        "readable": True,
        "writeable": True,
    }
    if entry.kind == "file" and _yes(arguments.get("get_checksum", True)):
        seen["checksum"] = entry.checksum
    if entry.kind == "link":
        seen |= {"lnk_target": entry.target, "lnk_source": host.resolve(path)}
    return {"stat": seen}


def _copy(host: Host, user: str, arguments: Arguments) -> Answer:
    path = _expanded(host, user, arguments["dest"])
    source = str(arguments["src"])
    data = host.read(source)
    existing = host.entry(path)
    if path.endswith("/") or (existing is not None and existing.kind == "directory"):
        path = posixpath.join(path, str(arguments.get("_original_basename") or posixpath.basename(source)))
        existing = host.entry(path)
    if existing is not None and not _yes(arguments.get("force", True)):
        return {"dest": path, "src": source}
    if arguments.get("validate"):
        _validate(host, user, str(arguments["validate"]), source)
    changed = existing is None or existing.data != data
    entry = host.write(path, data, owner=user) if changed else existing
    assert entry is not None
    changed = _attributes(host, entry, arguments) or changed
    if not _yes(arguments.get("remote_src", False)) and source.rpartition("/")[0].startswith(
        (f"{host.people[user].home}/.ansible", *TEMPORARY)
    ):
        host.remove(source)
    return {"changed": changed, "dest": path, "src": source, "checksum": entry.checksum, **_described(host, path, entry)}


def _validate(host: Host, user: str, command: str, path: str) -> None:
    heard = _run(host, user, command.replace("%s", path), b"")
    if heard["rc"] != 0:
        raise HostProblem(f"failed to validate: rc:{heard['rc']} error:{heard['stderr'] or heard['stdout']}")


def _file(host: Host, user: str, arguments: Arguments) -> Answer:
    path = _expanded(host, user, arguments.get("path") or arguments.get("dest") or arguments.get("name"))
    source = arguments.get("src")
    if arguments.get("_original_basename") and (entry := host.entry(path)) is not None and entry.kind == "directory":
        path = posixpath.join(path, str(arguments["_original_basename"]))
    entry = host.entry(path, follow=False)
    state = arguments.get("state") or (
        "link" if source and not arguments.get("_original_basename") else entry.kind if entry else "file"
    )
    if state == "absent":
        return {"changed": host.remove(path), "path": path, "state": "absent"}
    if state == "link":
        return _link(host, path, str(source), entry, _yes(arguments.get("force", False)))
    if entry is not None and entry.kind == "link":
        entry = host.entry(path)
    changed = False
    if state == "directory":
        changed = entry is None
        if entry is not None and entry.kind != "directory":
            raise HostProblem(f"{path} already exists as a {entry.kind}")
        host.make_folder(path, owner=user)
    elif state == "touch":
        # Unless told to keep the times, every touch is a change.
        kept = "preserve" in (arguments.get("modification_time"), arguments.get("access_time"))
        changed = entry is None or not kept
        host.write(path, entry.data if entry else b"", owner=user)
    elif state == "file" and entry is None:
        raise HostProblem(f"file ({path}) is absent, cannot continue")
    elif state not in ("file",):
        raise HostProblem(f"the state {state} of a file is not emulated")
    entry = host.entry(path)
    assert entry is not None
    changed = _attributes(host, entry, arguments) or changed
    if _yes(arguments.get("recurse", False)):
        for each in [each for each in host.files if each.startswith(f"{host.resolve(path)}/")]:
            changed = _attributes(host, host.files[each], arguments) or changed
    return {"changed": changed, **_described(host, path, entry)}


def _link(host: Host, path: str, source: str, entry: Entry | None, force: bool) -> Answer:
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), source))
    is_zone = target.startswith("/usr/share/zoneinfo/") and target.removeprefix("/usr/share/zoneinfo/") in available_timezones()
    if not force and not is_zone and host.entry(target) is None:
        raise HostProblem("src file does not exist, use 'force=yes' if you really want to create the link")
    if entry is not None and entry.kind != "link" and not force:
        raise HostProblem(f"refusing to convert from {entry.kind} to symlink for {path}")
    changed = entry is None or entry.target != source
    host.files[host.resolve(path, follow=False)] = Entry("link", target=source, mode=0o777)
    return {"changed": changed, "dest": path, "src": source, "state": "link"}


def _slurp(host: Host, user: str, arguments: Arguments) -> Answer:
    path = _expanded(host, user, arguments.get("src") or arguments.get("path"))
    return {"content": base64.b64encode(host.read(path)).decode(), "source": path, "encoding": "base64"}


def _lines_of(host: Host, path: str, create: bool) -> list[str]:
    if host.entry(path) is None and not create:
        raise HostProblem(f"Destination {path} does not exist !")
    return host.text(path).splitlines()


def _rewrite(host: Host, user: str, path: str, lines: list[str], arguments: Arguments, message: str) -> Answer:
    data = ("\n".join(lines) + "\n" if lines else "").encode()
    entry = host.entry(path)
    changed = entry is None or entry.data != data
    if changed:
        if arguments.get("validate"):
            trial = f"{TEMPORARY[0]}/ansible-validate"
            host.write(trial, data)
            _validate(host, user, str(arguments["validate"]), trial)
            host.remove(trial)
        entry = host.write(path, data, owner=user)
    assert entry is not None
    attributes = _attributes(host, entry, arguments)
    return {"changed": changed or attributes, "msg": message if changed else ""}


def _lineinfile(host: Host, user: str, arguments: Arguments) -> Answer:
    path = _expanded(host, user, arguments.get("path") or arguments.get("dest") or arguments.get("name"))
    lines = _lines_of(host, path, _yes(arguments.get("create", False)))
    pattern, line = arguments.get("regexp"), arguments.get("line")
    literal = arguments.get("search_string")

    def is_it(each: str) -> bool:
        if pattern is not None:
            return re.search(str(pattern), each) is not None
        return str(literal) in each if literal is not None else each == line

    found = [number for number, each in enumerate(lines) if is_it(each)]
    if arguments.get("state", "present") == "absent":
        kept = [each for number, each in enumerate(lines) if number not in found]
        return _rewrite(host, user, path, kept, arguments, f"{len(found)} line(s) removed")
    line = str(line)
    if found:
        match = re.search(str(pattern), lines[found[-1]]) if pattern is not None else None
        lines[found[-1]] = match.expand(line) if match and _yes(arguments.get("backrefs", False)) else line
        return _rewrite(host, user, path, lines, arguments, "line replaced")
    if _yes(arguments.get("backrefs", False)) or line in lines:
        return _rewrite(host, user, path, lines, arguments, "")
    lines.insert(_place(lines, arguments), line)
    return _rewrite(host, user, path, lines, arguments, "line added")


def _place(lines: list[str], arguments: Arguments) -> int:
    before, after = arguments.get("insertbefore"), arguments.get("insertafter")
    if before == "BOF":
        return 0
    wanted = before if before is not None else after
    if wanted not in (None, "EOF"):
        found = [number for number, each in enumerate(lines) if re.search(str(wanted), each)]
        if found:
            return found[-1] + (0 if before is not None else 1)
    return len(lines)


def _blockinfile(host: Host, user: str, arguments: Arguments) -> Answer:
    path = _expanded(host, user, arguments.get("path") or arguments.get("dest") or arguments.get("name"))
    lines = _lines_of(host, path, _yes(arguments.get("create", False)))
    marker = str(arguments.get("marker", "# {mark} ANSIBLE MANAGED BLOCK"))
    first = marker.replace("{mark}", str(arguments.get("marker_begin", "BEGIN")))
    last = marker.replace("{mark}", str(arguments.get("marker_end", "END")))
    block = str(arguments.get("block") or "").splitlines()
    wanted = [first, *block, last] if block and arguments.get("state", "present") == "present" else []
    if first in lines and last in lines:
        start = lines.index(first)
        lines[start : lines.index(last) + 1] = wanted
    else:
        place = _place(lines, arguments)
        lines[place:place] = wanted
    return _rewrite(host, user, path, lines, arguments, "Block inserted" if wanted else "Block removed")


def _replace(host: Host, user: str, arguments: Arguments) -> Answer:
    path = _expanded(host, user, arguments.get("path") or arguments.get("dest") or arguments.get("name"))
    text = host.read(path).decode("utf-8", "replace")
    new, count = re.subn(str(arguments["regexp"]), str(arguments.get("replace") or ""), text, flags=re.MULTILINE)
    if new != text:
        host.write(path, new.encode())
    return {"changed": new != text, "msg": f"{count} replacements made" if count else ""}


# Packages and services


def _apt(host: Host, user: str, arguments: Arguments) -> Answer:
    _root(user)
    names = _many(arguments.get("name") or arguments.get("pkg") or arguments.get("package"))
    state = arguments.get("state", "present")
    answer: Answer = {}
    if _yes(arguments.get("update_cache", False)) or arguments.get("cache_valid_time"):
        fresh = time.time() - host.lists_updated_s <= int(arguments.get("cache_valid_time") or 0)
        if not fresh:
            host.lists_updated_s = time.time()
        answer = {"cache_updated": not fresh, "cache_update_time": int(host.lists_updated_s), "changed": not fresh and not names}
    if arguments.get("deb") or (arguments.get("upgrade") not in (None, "no", False)):
        raise HostProblem("an upgrade, or a package from a file, is not emulated")
    before = dict(host.packages)
    for name in (name.split("=")[0].split(":")[0] for name in names):
        if name not in CATALOGUE:
            raise HostProblem(
                f"No package matching '{name}' is available: the emulated guest knows {len(CATALOGUE)} of Debian's packages. {NOT_EMULATED}"
            )
        if state in ("absent", "removed"):
            if name in host.packages:
                host.uninstall(name)
        elif state in ("present", "latest", "installed", "fixed"):
            host.install(name)
        else:
            raise HostProblem(f"the state {state} of a package is not emulated")
    return answer | {"changed": before != host.packages or answer.get("changed", False)}


def _service(host: Host, user: str, arguments: Arguments) -> Answer:
    _root(user)
    name = arguments.get("name") or arguments.get("service") or arguments.get("unit")
    if name is None:
        return {"changed": False}
    service = host.service(str(name))
    if service is None:
        raise HostProblem(f"Could not find the requested service {name}: host")
    before = copy.copy(service)
    state = arguments.get("state")
    if arguments.get("masked") is not None:
        service.masked = _yes(arguments["masked"])
    if arguments.get("enabled") is not None:
        service.enabled = _yes(arguments["enabled"])
    if state in ("started", "restarted", "reloaded") and service.masked:
        raise HostProblem(f"Unable to start service {name}: Unit {name}.service is masked.")
    if state in ("started", "restarted", "reloaded"):
        _start(host, service)
    elif state == "stopped":
        service.running = False
    elif state is not None:
        raise HostProblem(f"value of state must be one of: reloaded, restarted, started, stopped, got: {state}")
    changed = before != service or state in ("restarted", "reloaded")
    status = {
        "ActiveState": "active" if service.running else "inactive",
        "UnitFileState": "enabled" if service.enabled else "disabled",
    }
    shown = {"state": state} if state else {}
    return {"changed": changed, "name": name, "enabled": service.enabled, "status": status, **shown}


def _start(host: Host, service: Service) -> None:
    if service.name == "nginx":
        network.check_nginx(host)
    service.running = True


def _package_facts(host: Host, user: str, arguments: Arguments) -> Answer:
    packages = {
        name: [{"name": name, "version": version, "arch": "amd64", "source": "apt"}] for name, version in host.packages.items()
    }
    return {"ansible_facts": {"packages": packages}}


def _service_facts(host: Host, user: str, arguments: Arguments) -> Answer:
    described = {
        f"{name}.service": {
            "name": f"{name}.service",
            "state": "running" if service.running else "stopped",
            "status": "enabled" if service.enabled else "disabled",
            "source": "systemd",
        }
        for name, service in host.services.items()
    }
    return {"ansible_facts": {"services": described}}


# People


def _user(host: Host, user: str, arguments: Arguments) -> Answer:
    _root(user)
    name = str(arguments.get("name") or arguments["user"])
    person = host.people.get(name)
    if arguments.get("state", "present") == "absent":
        if person is None:
            return {"name": name, "state": "absent"}
        if _yes(arguments.get("remove", False)):
            host.remove(person.home)
        del host.people[name]
        host.write_people()
        return {"changed": True, "name": name, "state": "absent"}
    before = copy.deepcopy(person)
    if person is None:
        uid = arguments.get("uid")
        person = host.add_person(
            name, arguments.get("home"), system=_yes(arguments.get("system", False)), uid=int(uid) if uid is not None else None
        )
        if _yes(arguments.get("create_home", True)):
            host.make_folder(person.home, 0o755, name)
    if arguments.get("shell") is not None:
        person.shell = str(arguments["shell"])
    if arguments.get("comment") is not None:
        person.comment = str(arguments["comment"])
    if arguments.get("password") is not None and (before is None or arguments.get("update_password", "always") == "always"):
        person.password = str(arguments["password"])
    if arguments.get("group") is not None:
        person.gid = host.groups[_known_group(host, str(arguments["group"]))]
    if arguments.get("groups") is not None:
        wanted = {_known_group(host, group) for group in _many(arguments["groups"])}
        person.groups = person.groups | wanted if _yes(arguments.get("append", False)) else wanted
    host.write_people()
    shown = {"name": name, "uid": person.uid, "group": person.gid, "home": person.home, "shell": person.shell, "state": "present"}
    return {"changed": before != person, **shown}


def _known_group(host: Host, name: str) -> str:
    if name not in host.groups:
        raise HostProblem(f"Group {name} does not exist")
    return name


def _group(host: Host, user: str, arguments: Arguments) -> Answer:
    _root(user)
    name = str(arguments["name"])
    exists = name in host.groups
    if arguments.get("state", "present") == "absent":
        host.groups.pop(name, None)
        host.write_people()
        return {"changed": exists, "name": name, "state": "absent"}
    if not exists:
        gid = arguments.get("gid")
        host.add_group(name, int(gid) if gid is not None else None, _yes(arguments.get("system", False)))
    return {"changed": not exists, "name": name, "gid": host.groups[name], "state": "present"}


def _authorized_key(host: Host, user: str, arguments: Arguments) -> Answer:
    person = host.people.get(str(arguments["user"]))
    if person is None:
        raise HostProblem(f"Failed to lookup user {arguments['user']}")
    path = str(arguments.get("path") or f"{person.home}/.ssh/authorized_keys")
    wanted = [line.strip() for line in str(arguments["key"]).splitlines() if line.strip() and not line.startswith("#")]
    host.make_folder(posixpath.dirname(path), 0o700, person.name)
    have = host.text(path).splitlines()
    if arguments.get("state", "present") == "absent":
        new = [line for line in have if line not in wanted]
    else:
        new = wanted if _yes(arguments.get("exclusive", False)) else have + [line for line in wanted if line not in have]
    if new != have:
        host.write(path, ("\n".join(new) + "\n").encode(), 0o600, person.name)
    return {"changed": new != have, "keyfile": path, "user": person.name}


def _getent(host: Host, user: str, arguments: Arguments) -> Answer:
    database, key = str(arguments["database"]), arguments.get("key")
    path = {"passwd": "/etc/passwd", "group": "/etc/group", "shadow": "/etc/shadow"}.get(database)
    if path is None:
        raise HostProblem(f"the getent database {database} is not emulated")
    rows = {line.split(":")[0]: line.split(":")[1:] for line in host.text(path).splitlines()}
    if key is not None and key not in rows:
        if _yes(arguments.get("fail_key", True)):
            raise HostProblem("One or more supplied key could not be found in the database.")
        rows[str(key)] = None  # type: ignore[assignment]
    return {"ansible_facts": {f"getent_{database}": {name: row for name, row in rows.items() if key in (None, name)}}}


def _root(user: str) -> None:
    if user != "root":
        raise HostProblem(f"{user} may not do that: this task needs `become: true`")


# The rest


def timezone(host: Host) -> str:
    entry = host.entry("/etc/localtime", follow=False)
    return entry.target.removeprefix("/usr/share/zoneinfo/") if entry is not None and entry.kind == "link" else "Etc/UTC"


def set_timezone(host: Host, name: str) -> None:
    host.files["/etc/localtime"] = Entry("link", target=f"/usr/share/zoneinfo/{name}", mode=0o777)
    host.write("/etc/timezone", f"{name}\n".encode())


def _timezone(host: Host, user: str, arguments: Arguments) -> Answer:
    _root(user)
    name = str(arguments["name"])
    if name not in available_timezones():
        raise HostProblem(f"given timezone {name} is not available")
    changed = timezone(host) != name
    set_timezone(host, name)
    return {"changed": changed}


def _hostname(host: Host, user: str, arguments: Arguments) -> Answer:
    _root(user)
    changed, host.hostname = host.hostname != arguments["name"], str(arguments["name"])
    host.write("/etc/hostname", f"{host.hostname}\n".encode())
    return {"changed": changed, "name": host.hostname}


def _command(host: Host, user: str, arguments: Arguments) -> Answer:
    for name, wanted in (("creates", True), ("removes", False)):
        if arguments.get(name) is not None and (host.entry(str(arguments[name])) is not None) == wanted:
            there = "exists" if wanted else "does not exist"
            return {
                "changed": False,
                "rc": 0,
                "stdout": f"skipped, since {arguments[name]} {there}",
                "cmd": arguments.get("_raw_params"),
            }
    argv = [str(word) for word in arguments.get("argv") or []]
    line = arguments.get("_raw_params")
    given = arguments.get("stdin")
    end = "\n" if _yes(arguments.get("stdin_add_newline", True)) else ""
    heard = _run(
        host, user, argv or str(line), f"{given}{end}".encode() if given is not None else b"", str(arguments.get("chdir") or "/")
    )
    if heard["rc"] != 0:
        heard |= {"failed": True, "msg": "non-zero return code"}
    return {"changed": True, "cmd": argv or line, "delta": "0:00:00.000000", **heard}


def _run(host: Host, user: str, command: str | list[str], given: bytes, folder: str = "/") -> Answer:
    from cluster_sim.guests.emulated.commands import run_command, run_line  # each needs the other

    out, complaints = bytearray(), bytearray()
    session = Session(user, lambda: given, out.extend, complaints.extend, folder)
    status = run_line(host, session, command) if isinstance(command, str) else run_command(host, session, command)
    stdout, stderr = (bytes(text).decode("utf-8", "replace").rstrip("\n") for text in (out, complaints))
    return {"rc": status, "stdout": stdout, "stderr": stderr}


def _uri(host: Host, user: str, arguments: Arguments) -> Answer:
    url = str(arguments["url"])
    if str(arguments.get("method", "GET")).upper() not in ("GET", "HEAD"):
        raise HostProblem(f"the method {arguments['method']} is not emulated")
    try:
        page = network.fetch(host, url)
    except HostProblem as problem:
        return {"failed": True, "status": -1, "url": url, "msg": f"Status code was -1 and not [200]: {problem}"}
    wanted = arguments.get("status_code", 200)
    codes = [int(code) for code in (wanted if isinstance(wanted, list) else [wanted])]
    answer: Answer = {"status": page.status, "url": url, "msg": f"HTTP {page.status}", "content_type": page.kind}
    if _yes(arguments.get("return_content", False)):
        answer["content"] = page.text
    if page.status not in codes:
        answer |= {"failed": True, "msg": f"Status code was {page.status} and not {codes}"}
    return answer


def _wait_for(host: Host, user: str, arguments: Arguments) -> Answer:
    state = arguments.get("state", "started")
    path, port = arguments.get("path"), arguments.get("port")
    name = arguments.get("host", "127.0.0.1")
    if path is not None:
        there = host.entry(str(path)) is not None
    elif port is not None and name in ("127.0.0.1", "localhost", host.address, host.hostname):
        there = host.listens(int(port))
    elif port is None:
        return {"elapsed": 0, "state": state}
    else:
        there = False
    if there != (state not in ("absent", "stopped", "drained")):
        # Nothing on a modelled host comes by itself, so there is nothing to wait for.
        raise HostProblem(f"Timeout when waiting for {path or f'{name}:{port}'}")
    return {"elapsed": 0, "state": state, "port": port, "path": path}


def _setup(host: Host, user: str, arguments: Arguments) -> Answer:
    person = host.people[user]
    address = {
        "address": host.address,
        "gateway": host.gateway,
        "interface": "eth0",
        "macaddress": host.mac,
        "prefix": str(host.prefix),
    }
    facts = {
        "hostname": host.hostname,
        "nodename": host.hostname,
        "fqdn": host.hostname,
        "distribution": "Debian",
        "distribution_major_version": VERSION.partition(".")[0],
        "distribution_version": VERSION,
        "distribution_release": CODENAME,
        "os_family": "Debian",
        "pkg_mgr": "apt",
        "service_mgr": "systemd",
        "system": "Linux",
        "kernel": "emulated",
        "architecture": "x86_64",
        "machine": "x86_64",
        "virtualization_type": "cluster_sim-emulated",
        "virtualization_role": "guest",
        "python_version": "3.11.2",
        "python": {"version": {"major": 3, "minor": 11, "micro": 2}, "executable": "/usr/bin/python3"},
        "user_id": user,
        "user_dir": person.home,
        "user_uid": person.uid,
        "env": {"HOME": person.home},
        "default_ipv4": address,
        "all_ipv4_addresses": [host.address],
        "interfaces": ["lo", "eth0"],
        "date_time": {"epoch": str(int(time.time())), "iso8601": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "tz": "UTC"},
        "local": {"cluster_sim": {"emulated": True, "mark": MARK}},
    }
    named = {f"ansible_{name}": value for name, value in facts.items()}
    return {"ansible_facts": named | {"gather_subset": arguments.get("gather_subset") or ["all"], "module_setup": True}}


def _find(host: Host, user: str, arguments: Arguments) -> Answer:
    folders = _many(arguments.get("paths") or arguments.get("path"))
    patterns = [
        re.compile(re.escape(p).replace(r"\*", ".*").replace(r"\?", ".") + r"\Z") for p in _many(arguments.get("patterns") or "*")
    ]
    kind = arguments.get("file_type", "file")
    found = []
    for folder in folders:
        for path, entry in sorted(host.files.items()):
            below = path.startswith(f"{host.resolve(folder)}/")
            near = _yes(arguments.get("recurse", False)) or "/" not in path[len(host.resolve(folder)) + 1 :]
            if below and near and kind in ("any", entry.kind) and any(p.match(posixpath.basename(path)) for p in patterns):
                found.append(_described(host, path, entry))
    return {"files": found, "matched": len(found), "examined": len(host.files), "skipped_paths": {}}


MODULES: dict[str, Module] = {
    "ping": lambda host, user, arguments: {"ping": arguments.get("data", "pong")},
    "setup": _setup,
    "gather_facts": _setup,
    "stat": _stat,
    "copy": _copy,
    "file": _file,
    "slurp": _slurp,
    "lineinfile": _lineinfile,
    "blockinfile": _blockinfile,
    "replace": _replace,
    "find": _find,
    "apt": _apt,
    "package_facts": _package_facts,
    "service": _service,
    "systemd": _service,
    "systemd_service": _service,
    "service_facts": _service_facts,
    "user": _user,
    "group": _group,
    "authorized_key": _authorized_key,
    "getent": _getent,
    "timezone": _timezone,
    "hostname": _hostname,
    "command": _command,
    "uri": _uri,
    "wait_for": _wait_for,
}
