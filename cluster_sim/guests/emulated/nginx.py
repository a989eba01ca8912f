"""What `nginx -t` would find in an emulated host's files that a model can find. No page is served."""

from __future__ import annotations

import posixpath
import re

from cluster_sim.guests.emulated.host import Host, HostProblem

SETTINGS = "/etc/nginx/nginx.conf"
INCLUDES_DEPTH_MAX = 5


def check(host: Host, path: str = SETTINGS) -> None:
    """Raises HostProblem for a missing include, a brace too many, or no `events`."""
    bare = re.sub(r'"[^"]*"', '""', _with_includes(host, path))
    if bare.count("{") != bare.count("}"):
        raise HostProblem(f'nginx: [emerg] unexpected end of file, expecting "}}" in {path}')
    if "events" not in bare:
        raise HostProblem('nginx: [emerg] no "events" section in configuration')


def _with_includes(host: Host, path: str, depth: int = 0) -> str:
    if depth > INCLUDES_DEPTH_MAX:
        raise HostProblem("nginx: [emerg] includes are nested too deeply")
    text = re.sub(r"(?m)^\s*#.*$", "", host.read(path).decode("utf-8", "replace"))

    def included(found: re.Match[str]) -> str:
        pattern = posixpath.join("/etc/nginx", found[1])
        folder, _, name = pattern.rpartition("/")
        files = [pattern] if "*" not in name else [each for each in host.children(folder) if each.endswith(name.replace("*", ""))]
        return "\n".join(_with_includes(host, each, depth + 1) for each in files)

    return re.sub(r"\binclude\s+([^;\s]+)\s*;", included, text)
