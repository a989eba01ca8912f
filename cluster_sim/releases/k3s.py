#!/usr/bin/python3
"""A stand-in of the k3s program, openly `+sim`: for machines that cannot have the released one. It really runs as that service does.

Same command line, files and ports; HTTPS with an authority of its own; nodes join by token; the servers keep one small state by majority
and refuse without it. No container ever runs: pods are entries of that state. Written from the public documentation of k3s (docs.k3s.io:
CLI, token, HA embedded etcd, packaged components, Helm; read 2026-11-29) and the API conventions of Kubernetes. Standard library and
`openssl` only, as a fresh Debian has them; one file, because it is installed as one.
"""

from __future__ import annotations

import base64
import contextlib
import copy
import datetime as dt
import hashlib
import hmac
import http.client
import http.server
import json
import os
import random
import re
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import Any, cast

VERSION = "v0.0.0+k3s1+sim"
"""Written by the mirror that serves it."""
PORT = 6443
DATA = Path("/var/lib/rancher/k3s")
CONFIG = Path("/etc/rancher/k3s/config.yaml")
KUBECONFIG = Path("/etc/rancher/k3s/k3s.yaml")
NODE_PASSWORD = Path("/etc/rancher/node/password")
HEARTBEAT_SECONDS, LOST_SECONDS, DEPLOY_SECONDS, RETRY_SECONDS = 4.0, 40.0, 3.0, 5.0
PEER_SECONDS, PEER_THREADS, TRIES_MAX = 2.0, 4, 40
MADE_MAX = 64
"""Changes whose marks the state keeps: far more than others make while one is tried again."""
VALUES = frozenset({"token", "token-file", "server", "node-name", "node-ip", "data-dir", "config", "agent-token"}) | frozenset(
    {"advertise-address", "bind-address", "write-kubeconfig-mode", "flannel-backend", "flannel-iface", "cluster-cidr", "service-cidr"}
    | {"cluster-dns", "cluster-domain", "system-default-registry", "private-registry", "etcd-snapshot-retention", "v"}
    | {"etcd-snapshot-schedule-cron"}
)
LISTS = frozenset({"tls-san", "disable", "node-label", "node-taint", "kubelet-arg", "kube-apiserver-arg"})
SWITCHES = frozenset({"cluster-init", "disable-cloud-controller", "secrets-encryption", "embedded-registry", "debug", "with-node-id"})
OF_AGENTS = frozenset(
    {"token", "token-file", "server", "node-name", "node-ip", "data-dir", "config", "node-label", "node-taint", "kubelet-arg"}
) | frozenset({"flannel-iface", "private-registry", "debug", "with-node-id", "v"})
SHORT = {"-t": "--token", "-s": "--server", "-i": "--node-ip", "-d": "--data-dir", "-c": "--config"}
PACKAGED = {"coredns": "coredns", "traefik": "traefik", "local-storage": "local-path-provisioner", "metrics-server": "metrics-server"}
DISABLES = frozenset({*PACKAGED, "servicelb"})
CHARTS = frozenset({"cert-manager", "kube-prometheus-stack", "longhorn", "nfs-subdir-external-provisioner", "rancher", "traefik"})
"""That a repository would have. Another one fails as Helm's job does."""
GROUPS = {"v1": "/api/v1", "apps/v1": "/apis/apps/v1", "policy/v1": "/apis/policy/v1", "helm.cattle.io/v1": "/apis/helm.cattle.io/v1"} | {
    "k3s.cattle.io/v1": "/apis/k3s.cattle.io/v1",
    "coordination.k8s.io/v1": "/apis/coordination.k8s.io/v1",
    "batch/v1": "/apis/batch/v1",
}
KINDS = {
    ("v1", "nodes"): ("Node", False),
    ("v1", "namespaces"): ("Namespace", False),
    ("v1", "pods"): ("Pod", True),
    ("v1", "configmaps"): ("ConfigMap", True),
    ("v1", "secrets"): ("Secret", True),
    ("v1", "services"): ("Service", True),
    ("v1", "serviceaccounts"): ("ServiceAccount", True),
    ("apps/v1", "deployments"): ("Deployment", True),
    ("apps/v1", "daemonsets"): ("DaemonSet", True),
    ("apps/v1", "replicasets"): ("ReplicaSet", True),
    ("batch/v1", "jobs"): ("Job", True),
    ("helm.cattle.io/v1", "helmcharts"): ("HelmChart", True),
    ("helm.cattle.io/v1", "helmchartconfigs"): ("HelmChartConfig", True),
    ("k3s.cattle.io/v1", "addons"): ("Addon", True),
}
NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
Json = Any


class Refused(Exception):
    """An answer of the API that is no success."""

    def __init__(self, code: int, reason: str, text: str) -> None:
        super().__init__(text)
        self.code, self.reason, self.text = code, reason, text


def log(level: str, text: str) -> None:
    stamp = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    print(f'time="{stamp}" level={level} msg={json.dumps(text)}', file=sys.stderr, flush=True)


def die(text: str) -> None:
    log("fatal", text)
    sys.exit(1)


def now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# The command line and the configuration file.


def options(kind: str, words: list[str]) -> dict[str, Json]:
    """Of `k3s server` or `k3s agent`: from the file, and from the words, which win; lists add up."""
    said = _from_words(kind, words)
    file = Path(str(said.get("config") or CONFIG))
    found = _from_file(kind, file) if file.exists() else {}
    for name, value in said.items():
        found[name] = [*found.get(name, []), *value] if name in LISTS else value
    for name, variable in (("token", "K3S_TOKEN"), ("server", "K3S_URL"), ("node-name", "K3S_NODE_NAME")):
        if os.environ.get(variable):
            found.setdefault(name, os.environ[variable])
    if "token-file" in found and "token" not in found:
        found["token"] = Path(found["token-file"]).read_text().strip()
    return found


def _known(kind: str) -> frozenset[str]:
    return OF_AGENTS if kind == "agent" else VALUES | LISTS | SWITCHES


def _from_words(kind: str, words: list[str]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    left = list(words)
    while left:
        word, _, value = left.pop(0).partition("=")
        name = SHORT.get(word, word)
        if not name.startswith("--") or name[2:] not in _known(kind):
            print(f"Incorrect Usage: flag provided but not defined: {word.lstrip('-')}", file=sys.stderr)
            sys.exit(1)
        name = name[2:]
        if name in SWITCHES:
            found[name] = value.lower() != "false"
            continue
        if not value and not left:
            print(f"Incorrect Usage: flag needs an argument: -{name}", file=sys.stderr)
            sys.exit(1)
        value = value or left.pop(0)
        if name in LISTS:
            found.setdefault(name, []).extend(value.split(",") if name in ("tls-san", "disable") else [value])
        else:
            found[name] = value
    return found


def _from_file(kind: str, file: Path) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name, value in read_config(file.read_text()).items():
        if name not in _known(kind):
            die(f"Unknown flag --{name} found in {file}")
        found[name] = ([str(one) for one in value] if isinstance(value, list) else [str(value)]) if name in LISTS else value
    return found


def read_config(text: str) -> dict[str, Json]:
    """The part of YAML that a configuration of k3s is written in: `name: value`, and lists."""
    found: dict[str, Json] = {}
    name = ""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#") or line.strip() == "---":
            continue
        item = re.fullmatch(r"\s*-\s+(.*\S)\s*", line)
        pair = re.fullmatch(r'"?([A-Za-z][A-Za-z0-9-]*)"?:(?:\s+(.*?))?\s*', line)
        if item and name:
            found[name] = [*(found[name] or []), _scalar(item[1])]
        elif pair:
            name = pair[1]
            found[name] = _scalar(pair[2]) if pair[2] else None
        else:
            raise ValueError(f"line {number} of the configuration is not understood: {line!r}")
    return found


def _scalar(text: str) -> Json:
    with contextlib.suppress(ValueError):
        return json.loads(text)
    if text[:1] == "'" and text[-1:] == "'":
        return text[1:-1].replace("''", "'")
    return text


# Certificates, by openssl.


def openssl(*words: str, stdin: str = "") -> str:
    done = subprocess.run(["openssl", *words], input=stdin, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise OSError(f"openssl {words[0]}: {done.stderr.strip()[-300:]}")
    return done.stdout


def make_authority(folder: Path, name: str) -> None:
    if (folder / f"{name}.crt").exists():
        return
    key, subject = str(folder / f"{name}.key"), f"/CN=k3s-{name}@{int(time.time())}"
    _key(folder / f"{name}.key")
    certificate = openssl("req", "-x509", "-new", "-key", key, "-sha256", "-days", "3650", "-subj", subject)
    (folder / f"{name}.crt").write_text(certificate)


def sign(folder: Path, authority: str, name: str, subject: str, sans: list[str] | None = None) -> None:
    """Writes <name>.crt and <name>.key, anew at every start, so that its names are those that are wanted now."""
    key = folder / f"{name}.key"
    if not key.exists():
        _key(key)
    request = openssl("req", "-new", "-key", str(key), "-subj", subject)
    asked = (
        "subjectAltName=" + ",".join(f"{'IP' if _is_address(one) else 'DNS'}:{one}" for one in sans)
        if sans
        else "basicConstraints=CA:FALSE"
    )
    extensions = folder / f".{name}.ext"
    extensions.write_text(asked + "\n")
    ca = [str(folder / f"{authority}.crt"), str(folder / f"{authority}.key")]
    serial = str(int.from_bytes(secrets.token_bytes(15), "big"))
    words = ["x509", "-req", "-CA", ca[0], "-CAkey", ca[1], "-set_serial", serial, "-days", "365", "-sha256", "-extfile", str(extensions)]
    (folder / f"{name}.crt").write_text(openssl(*words, stdin=request))
    extensions.unlink()


def _key(file: Path) -> None:
    file.touch(mode=0o600)
    file.write_text(openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"))


def _is_address(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9.]+", text)) or ":" in text


# Tokens.


def parse_token(token: str) -> tuple[str, str, str]:
    """(hash of the authority or empty, user, password). Raises ValueError."""
    if not token:
        raise ValueError("token must not be empty")
    if not token.startswith("K10"):
        return "", "", token
    digest, marks, credentials = token[3:].partition("::")
    if not marks or not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ValueError("invalid token CA hash length")
    user, colon, password = credentials.partition(":")
    return (digest, user, password) if colon else (digest, "", credentials)


def bundle_hash(pem: str) -> str:
    return hashlib.sha256(pem.encode()).hexdigest()


# A client of a server.


class Web:
    """HTTPS to one address, one connection at a time, kept open."""

    def __init__(self, address: str, context: ssl.SSLContext, port: int = PORT, seconds_max: float = 10.0) -> None:
        self._address, self._context, self._port, self._seconds = address, context, port, seconds_max
        self._kept: http.client.HTTPSConnection | None = None
        self._lock = threading.Lock()

    def ask(self, method: str, path: str, body: Json = None, **headers: str) -> tuple[int, Json]:
        with self._lock:
            for fresh in (self._kept is None, True):
                connection = self._kept or http.client.HTTPSConnection(
                    self._address, self._port, context=self._context, timeout=self._seconds
                )
                self._kept = None
                try:
                    data = json.dumps(body).encode() if body is not None else None
                    named = {name.replace("_", "-"): value for name, value in headers.items()}
                    connection.request(method, path, data, {"Content-Type": "application/json", **named})
                    answer = connection.getresponse()
                    said = answer.read()
                except (OSError, http.client.HTTPException):
                    connection.close()
                    if fresh:
                        raise
                    continue
                self._kept = connection
                plain = answer.getheader("Content-Type", "").startswith("application/json")
                return answer.status, json.loads(said) if plain and said else said.decode("utf-8", "replace")
        raise OSError("no connection")


def trusting(authority: str | None, certificate: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if authority is None:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    else:
        context.load_verify_locations(cadata=authority)
    if certificate is not None:
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    return context


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def meet(url: str, token: str) -> tuple[str, str, str]:
    """(address, authority, password) of the cluster, once the token's hash is that of its authority. Raises ValueError or OSError."""
    place = urllib.parse.urlsplit(url)
    if place.scheme != "https" or not place.hostname or (place.port or 443) != PORT:
        raise ValueError(f"invalid server url, failed to parse: {url}")
    digest, _, password = parse_token(token)
    code, pem = Web(place.hostname, trusting(None)).ask("GET", "/cacerts")
    if code != 200:
        raise OSError(f"failed to get CA certs: {code}")
    if digest and digest != bundle_hash(pem):
        raise ValueError(f"token CA hash does not match the Cluster CA certificate hash: {digest} != {bundle_hash(pem)}")
    return place.hostname, pem, password


# What the servers keep together: one value, changed by a majority (a register of Paxos; etcd's log is not needed for so little).


Ballot = tuple[int, str]
EMPTY: dict[str, Json] = {"members": {}, "objects": {}, "revision": 0}


class Store:
    def __init__(self, file: Path, name: str, web_of: Callable[[str], Web]) -> None:
        self._file, self._name, self._web_of = file, name, web_of
        self._peers: dict[str, tuple[Web, ThreadPoolExecutor]] = {}
        """Each with threads of its own: whoever waits for one that is gone keeps nobody from the others."""
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self.promised: Ballot = (0, "")
        self.accepted: Ballot = (0, "")
        self.state: dict[str, Json] = copy.deepcopy(EMPTY)
        if file.exists():
            kept = json.loads(file.read_text())
            self.promised, self.accepted = (kept["promised"][0], kept["promised"][1]), (kept["accepted"][0], kept["accepted"][1])
            self.state = kept["state"]

    # As a member.

    def prepare(self, ballot: Ballot) -> Json:
        with self._lock:
            ok = ballot > self.promised
            if ok:
                self.promised = ballot
                self._keep()
            return {"ok": ok, "promised": self.promised, "accepted": self.accepted, "state": self.state if ok else None}

    def accept(self, ballot: Ballot, state: dict[str, Json]) -> Json:
        with self._lock:
            ok = ballot >= self.promised
            if ok:
                self.promised = self.accepted = ballot
                self.state = state
                self._keep()
            return {"ok": ok, "promised": self.promised}

    def look(self, newer_than: Ballot) -> Json:
        with self._lock:
            return {"ok": True, "accepted": self.accepted, "state": self.state if self.accepted > newer_than else None}

    def _keep(self) -> None:
        beside = self._file.with_suffix(".new")
        beside.write_text(json.dumps({"promised": self.promised, "accepted": self.accepted, "state": self.state}))
        beside.replace(self._file)

    # As the one that leads a change.

    def change(self, edit: Callable[[dict[str, Json]], Json]) -> Json:
        """`edit` changes the state in its place and may refuse. Raises Refused(503) without a majority. A change whose acceptance was not
        heard may stand already when it is tried again, so the state keeps the marks of the last ones."""
        mark, answer = secrets.token_hex(8), None
        with self._turn:
            for attempt in range(TRIES_MAX):
                members = self.state["members"]
                ballot = (max(self.promised[0], self.accepted[0]) + 1, self._name)
                told = self._ask(members, "prepare", {"ballot": ballot})
                promises = {name: one for name, one in told.items() if one["ok"]}
                self._learn(told)
                if not _majority(promises, members):
                    if _majority(told, members):  # Another one is at it.
                        time.sleep(random.random() * 0.05 * (attempt + 1))
                        continue
                    raise _no_quorum()
                newest = max(promises.values(), key=lambda one: tuple(one["accepted"]))
                if newest["state"]["members"].keys() != members.keys():
                    with self._lock:
                        if tuple(newest["accepted"]) > self.accepted:
                            self.accepted, self.state = (newest["accepted"][0], newest["accepted"][1]), newest["state"]
                            self._keep()
                    continue
                state = copy.deepcopy(newest["state"])
                if mark not in (made := state.get("made", [])):
                    answer = edit(state)
                    state["revision"] += 1
                    state["made"] = [*made[1 - MADE_MAX :], mark]
                after = state["members"]
                taken = self._ask(
                    {**members, **after}, "accept", {"ballot": ballot, "state": state}, everyone=after.keys() != members.keys()
                )
                yes = {name for name, one in taken.items() if one["ok"]}
                if _majority(yes, members) and _majority(yes, after):
                    return answer
                self._learn(taken)
                time.sleep(random.random() * 0.05 * (attempt + 1))
        raise _no_quorum()

    def read(self) -> dict[str, Json]:
        """What a majority has. Raises Refused(503) without one."""
        members = self.state["members"]
        mine = self.accepted
        told = self._ask(members, "look", {"newer_than": mine})
        if not _majority(told, members):
            raise _no_quorum()
        if all(tuple(one["accepted"]) == mine for one in told.values()):
            return self.state
        return cast(dict[str, Json], self.change(copy.deepcopy))

    def _learn(self, told: dict[str, Json]) -> None:
        highest = max((one["promised"][0] for one in told.values()), default=0)
        with self._lock:
            if highest > self.promised[0]:
                self.promised = (highest, "")

    def _ask(self, members: dict[str, Json], what: str, body: dict[str, Json], everyone: bool = False) -> dict[str, Json]:
        """The answers of those that answer; not waiting for the slow once a majority is there, unless for everyone."""
        futures: dict[Future[Json], str] = {}
        found: dict[str, Json] = {}
        for name, one in members.items():
            if name == self._name:
                found[name] = self.answer(what, body)
            else:
                web, threads = self._peer(one["address"])
                futures[threads.submit(_asked, web, what, body)] = name
        if _majority(found, members) and not everyone:
            return found
        with contextlib.suppress(TimeoutError):
            for future in as_completed(futures, timeout=PEER_SECONDS + 1):
                with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
                    found[futures[future]] = future.result()
                if not everyone and _majority(found, members):
                    break
        for future in futures:
            future.cancel()
        return found

    def answer(self, what: str, body: dict[str, Json]) -> Json:
        if what == "look":
            return self.look((body["newer_than"][0], body["newer_than"][1]))
        ballot = (body["ballot"][0], body["ballot"][1])
        return self.prepare(ballot) if what == "prepare" else self.accept(ballot, body["state"])

    def _peer(self, address: str) -> tuple[Web, ThreadPoolExecutor]:
        with self._lock:
            if address not in self._peers:
                self._peers[address] = (self._web_of(address), ThreadPoolExecutor(PEER_THREADS))
            return self._peers[address]


def _asked(web: Web, what: str, body: dict[str, Json]) -> Json:
    code, said = web.ask("POST", f"/db/{what}", body)
    if code != 200:
        raise OSError(f"answered {code}")
    return said


def _majority(some: Any, members: dict[str, Json]) -> bool:
    return len([name for name in members if name in some]) * 2 > len(members)


def _no_quorum() -> Refused:
    return Refused(503, "ServiceUnavailable", "etcdserver: no leader")


# Objects.


def path_of(group: str, plural: str, namespace: str, name: str) -> str:
    space = f"/namespaces/{namespace}" if namespace else ""
    return f"{GROUPS[group]}{space}/{plural}/{name}"


def path_for(thing: Json) -> str:
    """Where an object as a manifest says it belongs. Raises Refused."""
    for (group, plural), (kind, spaced) in KINDS.items():
        if (group, kind) == (thing.get("apiVersion"), thing.get("kind")):
            name = (thing.get("metadata") or {}).get("name") or ""
            return path_of(group, plural, (thing["metadata"].get("namespace") or "default") if spaced else "", name)
    raise Refused(404, "NotFound", f'no matches for kind "{thing.get("kind")}" in version "{thing.get("apiVersion")}"')


def put(state: dict[str, Json], path: str, thing: Json) -> Json:
    old = state["objects"].get(path)
    meta = thing.setdefault("metadata", {})
    meta["uid"] = (old or {}).get("metadata", {}).get("uid") or _uid()
    meta["creationTimestamp"] = (old or {}).get("metadata", {}).get("creationTimestamp") or now()
    meta["resourceVersion"] = str(state["revision"] + 1)
    if place := re.fullmatch(r"/.+/namespaces/([^/]+)/[a-z]+/[^/]+", path):
        meta["namespace"] = place[1]
        if place[1] not in NAMESPACES and f"/api/v1/namespaces/{place[1]}" not in state["objects"]:
            raise Refused(404, "NotFound", f'namespaces "{place[1]}" not found')
    state["objects"][path] = thing
    return thing


def _uid() -> str:
    text = secrets.token_hex(16)
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def merged(old: Json, patch: Json) -> Json:
    """RFC 7386, which says the same as a strategic merge where no list is merged by key."""
    if not isinstance(patch, dict):
        return patch
    found = dict(old) if isinstance(old, dict) else {}
    for name, value in patch.items():
        if name.startswith("$"):
            continue
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), value)
    return found


def put_namespace(state: dict[str, Json], spec: Json) -> None:
    """As Helm does with `createNamespace`."""
    name = spec.get("targetNamespace")
    if name and spec.get("createNamespace") and name not in NAMESPACES:
        path = f"/api/v1/namespaces/{name}"
        state["objects"].get(path) or put(state, path, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


def put_job(state: dict[str, Json], chart: str, space: str, ended: str) -> None:
    """Of Helm, which installs a chart: it ends at once, as `Complete` or `Failed`."""
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"helm-install-{chart}", "namespace": space, "labels": {"helmcharts.helm.cattle.io/chart": chart}},
        "spec": {},
        "status": {"conditions": [{"type": ended, "status": "True"}]},
    }
    path = path_of("batch/v1", "jobs", space, f"helm-install-{chart}")
    if ((state["objects"].get(path) or {}).get("status")) != job["status"]:
        put(state, path, job)


def reconcile(state: dict[str, Json], disabled: set[str]) -> None:
    """One pod for each packaged component and for each chart that a repository has, on a node that may be used."""
    objects = state["objects"]
    wanted = {f"{pod}": "kube-system" for name, pod in PACKAGED.items() if name not in disabled}
    for path, chart in list(objects.items()):
        if path.startswith("/apis/helm.cattle.io/v1/") and chart.get("kind") == "HelmChart":
            name, spec = chart["metadata"]["name"], chart.get("spec") or {}
            known = str(spec.get("chart", "")).rpartition("/")[2] in CHARTS or bool(spec.get("chartContent"))
            missing = f'Error: chart "{spec.get("chart")}" not found in {spec.get("repo") or "no repository"} repository'
            space = spec.get("targetNamespace") or chart["metadata"]["namespace"]
            if space not in NAMESPACES and not spec.get("createNamespace") and f"/api/v1/namespaces/{space}" not in objects:
                known, missing = False, f'Error: namespaces "{space}" not found'
            failed = {"type": "Failed", "status": "False" if known else "True", "reason": "" if known else "Job failed"}
            conditions = [{"type": "JobCreated", "status": "True"}, {**failed, "message": "" if known else missing}]
            chart["status"] = {"jobName": f"helm-install-{name}", "conditions": conditions}
            put_job(state, name, chart["metadata"]["namespace"], "Complete" if known else "Failed")
            if known:
                put_namespace(state, spec)
                wanted[f"{name}"] = spec.get("targetNamespace") or chart["metadata"].get("namespace") or "default"
    nodes = sorted(
        path.rpartition("/")[2]
        for path, one in objects.items()
        if path.startswith("/api/v1/nodes/") and not one.get("spec", {}).get("unschedulable") and not one["spec"].get("taints")
    ) or sorted(
        path.rpartition("/")[2]
        for path, one in objects.items()
        if path.startswith("/api/v1/nodes/") and not one.get("spec", {}).get("unschedulable")
    )
    for path in [p for p in objects if re.match(r"/api/v1/namespaces/[^/]+/pods/", p)]:
        pod = objects[path]
        app, space = pod["metadata"]["labels"]["app"], pod["metadata"]["namespace"]
        if wanted.get(app) != space or f"/api/v1/nodes/{pod['spec']['nodeName']}" not in objects:
            del objects[path]
        else:
            del wanted[app]
    for number, (app, space) in enumerate(sorted(wanted.items())):
        if not nodes:
            return
        digest = hashlib.sha256(app.encode()).hexdigest()[:9]
        name = f"{app}-{digest}-{secrets.token_hex(3)[:5]}"
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{app}-{digest}", "controller": True, "uid": digest}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {"app": app}, "ownerReferences": [owner]},
            "spec": {"nodeName": nodes[(state["revision"] + number) % len(nodes)], "containers": [{"name": app, "image": "modelled"}]},
            "status": {"phase": "Running", "message": "cluster_sim: no container runs", "startTime": now()},
        }
        put(state, path_of("v1", "pods", space, name), pod)


def node_object(told: Json, old: Json) -> Json:
    labels = {"kubernetes.io/hostname": told["name"], "kubernetes.io/os": "linux", "node.kubernetes.io/instance-type": "k3s"}
    if told["server"]:
        labels |= {f"node-role.kubernetes.io/{role}": "true" for role in ("control-plane", "etcd")}
    labels |= dict(one.partition("=")[::2] for one in told["labels"])
    taints = [
        {"key": one.partition("=")[0], "value": one.partition("=")[2].partition(":")[0], "effect": one.rpartition(":")[2]}
        for one in told["taints"]
    ]
    spec = {**((old or {}).get("spec") or {}), "providerID": f"k3s://{told['name']}"}
    if taints:
        spec["taints"] = taints
    info = {"kubeletVersion": told["version"], "containerRuntimeVersion": "containerd://modelled", "operatingSystem": "linux"}
    addresses = [{"type": "InternalIP", "address": told["address"]}, {"type": "Hostname", "address": told["name"]}]
    meta = {**((old or {}).get("metadata") or {}), "name": told["name"], "labels": labels}
    status = {"addresses": addresses, "nodeInfo": info, "conditions": []}
    return {"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": spec, "status": status}


# The server.


class Server:
    def __init__(self, said: dict[str, Json]) -> None:
        self.said = said
        self.name, self.address = node_name(said), node_address(said)
        self.folder = Path(str(said.get("data-dir") or DATA)) / "server"
        self.tls = self.folder / "tls"
        self.seen: dict[str, float] = {}
        self.begun = time.monotonic()
        self.disabled = set(said.get("disable", ()))
        self.store: Store
        self.token_secret = ""

    def run(self) -> None:
        self.tls.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.folder / "manifests").mkdir(exist_ok=True)
        if unknown := self.disabled - DISABLES:
            die(f"invalid flag use; --disable does not know {', '.join(sorted(unknown))}")
        url, token = str(self.said.get("server") or ""), str(self.said.get("token") or "")
        if url and self.said.get("cluster-init"):
            die("invalid flag use; --cluster-init and --server do not go together")
        if url and not token:
            die("--token is required to join a cluster")
        file = self.folder / "db" / "state.json"
        file.parent.mkdir(exist_ok=True, mode=0o700)
        known = file.exists()
        joined = None
        if known:
            self._assert_token(token)
        elif url:
            joined = self._bootstrap(url, token)
        elif not self.said.get("cluster-init"):
            # Without etcd, in SQLite: it is the same here, with one member that nobody can join.
            self.said["alone"] = True
        self._certificates(token)
        self.store = Store(file, self.name, self._peer)
        if not known and joined is None:
            self.store.state["members"] = {self.name: {"address": self.address}}
            self.store.state["alone"] = bool(self.said.get("alone"))
            self.store.change(lambda state: None)
        httpd = self._listen()
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        if joined is not None:
            address, pem, password = joined
            code, answer = Web(address, trusting(pem), seconds_max=60).ask(
                "POST",
                "/v1-k3s/member",
                {"name": self.name, "address": self.address},
                Authorization=basic("server", password),
            )
            if code != 200:
                file.unlink(missing_ok=True)
                die(f"failed to join etcd cluster: {answer['message'] if isinstance(answer, dict) else answer}")
        self._kubeconfig()
        self._until_ready()
        own = Agent(self.said, server=self)
        own.register()
        notify("READY=1")
        log("info", f"k3s is up and running ({VERSION}: a stand-in, no container runs)")
        threading.Thread(target=self._deploy, daemon=True).start()
        own.beat()

    def _assert_token(self, token: str) -> None:
        kept = (self.folder / "token").read_text().strip()
        if token and parse_token(token)[2] != parse_token(kept)[2]:
            die("bootstrap data already found and encrypted with different token")

    def _bootstrap(self, url: str, token: str) -> tuple[str, str, str]:
        try:
            address, pem, password = meet(url, token)
            code, answer = Web(address, trusting(pem)).ask("GET", "/v1-k3s/server-bootstrap", Authorization=basic("server", password))
        except (OSError, ValueError, http.client.HTTPException) as problem:
            die(f"starting kubernetes: preparing server: failed to bootstrap cluster data: {problem}")
            raise
        if code != 200:
            why = answer["message"] if isinstance(answer, dict) else answer
            die(f"starting kubernetes: preparing server: failed to bootstrap cluster data: {url}/v1-k3s/server-bootstrap: {code} {why}")
        for name, content in answer.items():
            file = self.tls / name
            file.touch(mode=0o600)
            file.write_text(content)
        return address, pem, password

    def _certificates(self, token: str) -> None:
        for name in ("server-ca", "client-ca"):
            make_authority(self.tls, name)
        sans = ["127.0.0.1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "10.43.0.1"]
        sans += [self.address, self.name, *self.said.get("tls-san", ())]
        sign(self.tls, "server-ca", "serving-kube-apiserver", "/CN=k3s", list(dict.fromkeys(sans)))
        sign(self.tls, "client-ca", "client-admin", "/O=system:masters/CN=system:admin")
        sign(self.tls, "client-ca", "client-etcd", "/CN=etcd-client")
        kept = self.folder / "token"
        if not kept.exists():
            secret = parse_token(token)[2] if token else secrets.token_hex(16)
            kept.touch(mode=0o600)
            kept.write_text(f"K10{bundle_hash(self.authority)}::server:{secret}\n")
            (self.folder / "node-token").unlink(missing_ok=True)
            (self.folder / "node-token").symlink_to(kept)
        self.token_secret = parse_token(kept.read_text().strip())[2]

    @property
    def authority(self) -> str:
        return (self.tls / "server-ca.crt").read_text()

    def _peer(self, address: str) -> Web:
        return Web(address, trusting(self.authority, self.tls / "client-etcd.crt"), seconds_max=PEER_SECONDS)

    def _listen(self) -> http.server.ThreadingHTTPServer:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.tls / "serving-kube-apiserver.crt", self.tls / "serving-kube-apiserver.key")
        context.load_verify_locations(self.tls / "client-ca.crt")
        context.verify_mode = ssl.CERT_OPTIONAL
        Handler.server_of = self
        httpd = Listener(("0.0.0.0", PORT), Handler)
        httpd.socket = context.wrap_socket(httpd.socket, server_side=True, do_handshake_on_connect=False)
        return httpd

    def _until_ready(self) -> None:
        while True:
            with contextlib.suppress(Refused):
                self.store.read()
                return
            log("info", "Waiting for etcd server to become available")
            time.sleep(1)

    def _kubeconfig(self) -> None:
        def encoded(name: str) -> str:
            return base64.b64encode((self.tls / name).read_bytes()).decode()

        KUBECONFIG.parent.mkdir(parents=True, exist_ok=True)
        mode = int(str(self.said.get("write-kubeconfig-mode") or "600"), 8)
        KUBECONFIG.touch(mode=0o600)
        KUBECONFIG.write_text(
            f"apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {encoded('server-ca.crt')}\n"
            f"    server: https://127.0.0.1:{PORT}\n  name: default\ncontexts:\n- context:\n    cluster: default\n    user: default\n"
            "  name: default\ncurrent-context: default\nkind: Config\npreferences: {}\nusers:\n- name: default\n  user:\n"
            f"    client-certificate-data: {encoded('client-admin.crt')}\n    client-key-data: {encoded('client-admin.key')}\n"
        )
        KUBECONFIG.chmod(mode)

    def _deploy(self) -> None:
        """What lies among the manifests is applied when it changes; a file that goes takes nothing away."""
        applied: dict[str, str] = {}
        while True:
            for file in sorted((self.folder / "manifests").glob("*")):
                if file.suffix not in (".yaml", ".yml", ".json"):
                    continue
                text = file.read_text()
                if applied.get(file.name) == text:
                    continue
                try:
                    things = [json.loads(one) for one in re.split(r"(?m)^---\s*$", text) if one.strip()]
                    self.store.change(partial(self._apply, things=things, file=file))
                    applied[file.name] = text
                except ValueError:
                    applied[file.name] = text
                    log("error", f"Failed to process config: failed to process {file}: this stand-in reads manifests that are JSON")
                except Refused as problem:
                    log("error", f"Failed to process config: failed to process {file}: {problem.text}")
            time.sleep(DEPLOY_SECONDS)

    def _apply(self, state: dict[str, Json], things: list[Json], file: Path) -> None:
        for thing in things:
            path = path_for(thing)
            put(state, path, merged(state["objects"].get(path), thing))
        addon = {"apiVersion": "k3s.cattle.io/v1", "kind": "Addon", "metadata": {"name": file.stem}, "spec": {"source": str(file)}}
        put(state, path_of("k3s.cattle.io/v1", "addons", "kube-system", file.stem), addon)
        reconcile(state, self.disabled)

    # What nodes and servers ask for.

    def user_of(self, handler: Handler) -> str:
        """`admin`, `peer`, `server`, `node`, or empty."""
        tls = handler.connection
        certificate = tls.getpeercert() if isinstance(tls, ssl.SSLSocket) else None
        names = {key: value for part in (certificate or {}).get("subject", ()) for key, value in cast(Any, part)}
        if names.get("organizationName") == "system:masters":
            return "admin"
        if names.get("commonName") == "etcd-client":
            return "peer"
        kind, _, text = handler.headers.get("Authorization", "").partition(" ")
        if kind != "Basic":
            return ""
        with contextlib.suppress(ValueError):
            user, _, password = base64.b64decode(text).decode().partition(":")
            if hmac.compare_digest(password, self.token_secret):
                return user if user in ("server", "node") else ""
            if user == "node" and self._may_join(password):
                return "node"
        return ""

    def _may_join(self, password: str) -> bool:
        """By a token that was made by `k3s token create`, and has not run out."""
        identity, _, secret = password.partition(".")
        kept = self.store.read()["objects"].get(path_of("v1", "secrets", "kube-system", f"bootstrap-token-{identity}"))
        if kept is None or not hmac.compare_digest(_data(kept, "token-secret"), secret):
            return False
        return not (ends := _data(kept, "expiration")) or ends > now()

    def answer(self, handler: Handler, method: str, path: str, query: dict[str, str], body: Json) -> tuple[int, Json]:
        if path == "/ping":
            return 200, "pong"
        if path == "/cacerts":
            return 200, self.authority
        user = self.user_of(handler)
        if path.startswith("/db/"):
            if user != "peer":
                raise Refused(403, "Forbidden", "not a member")
            return 200, self.store.answer(path[4:], body)
        if not user:
            raise Refused(401, "Unauthorized", "Unauthorized")
        if path.startswith("/v1-k3s/"):
            return self._supervise(user, path[8:], body, handler)
        if user != "admin":
            raise Refused(403, "Forbidden", f'User "{user}" cannot {method.lower()} path "{path}"')
        return Api(self).answer(method, path, query, body, handler)

    def _supervise(self, user: str, what: str, body: Json, handler: Handler) -> tuple[int, Json]:
        if what == "server-bootstrap" and user == "server":
            if self.store.read().get("alone"):
                raise Refused(400, "BadRequest", "this server has no etcd: it was started without --cluster-init")
            return 200, {name: (self.tls / name).read_text() for name in SHARED}
        if what == "member" and user == "server":
            self.store.change(lambda state: self._add_member(state, body["name"], body["address"]))
            return 200, {}
        if what == "apiservers":
            return 200, [one["address"] for one in self.store.read()["members"].values()]
        if what == "node":
            return 200, self.store.change(lambda state: self._add_node(state, body))
        if what == "heartbeat":
            known = self.store.state["objects"].get(f"/api/v1/nodes/{body['name']}")
            if known is None or not self._is_password(self.store.state, body["name"], body["password"]):
                raise Refused(404, "NotFound", f'nodes "{body["name"]}" not found')
            self.seen[body["name"]] = time.monotonic()
            return 200, {}
        raise Refused(404, "NotFound", "not found")

    def _add_member(self, state: dict[str, Json], name: str, address: str) -> None:
        taken = state["members"].get(name)
        # One that has lost what it promised is another one, and comes in when the former node was deleted.
        if taken and (taken["address"] != address or f"/api/v1/nodes/{name}" in state["objects"]):
            raise Refused(409, "Conflict", f"duplicate node name found, please use a unique name for this node: {name}")
        state["members"][name] = {"address": address}

    def _is_password(self, state: dict[str, Json], name: str, password: str) -> bool:
        kept = state["objects"].get(path_of("v1", "secrets", "kube-system", f"{name}.node-password.k3s"))
        return kept is not None and hmac.compare_digest(_data(kept, "hash"), hashlib.sha256(password.encode()).hexdigest())

    def _add_node(self, state: dict[str, Json], told: Json) -> Json:
        name = told["name"]
        secret = path_of("v1", "secrets", "kube-system", f"{name}.node-password.k3s")
        if secret in state["objects"] and not self._is_password(state, name, told["password"]):
            raise Refused(
                403,
                "Forbidden",
                "Node password rejected, duplicate hostname or contents of '/etc/rancher/node/password' may not match server node-passwd "
                "entry, try enabling a unique node name with the --with-node-id flag",
            )
        if secret not in state["objects"]:
            digest = base64.b64encode(hashlib.sha256(told["password"].encode()).hexdigest().encode()).decode()
            kept = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"{name}.node-password.k3s"}, "data": {"hash": digest}}
            put(state, secret, kept)
        path = f"/api/v1/nodes/{name}"
        put(state, path, node_object(told, state["objects"].get(path)))
        reconcile(state, self.disabled)
        self.seen[name] = time.monotonic()
        return {"name": name}


SHARED = ("server-ca.crt", "server-ca.key", "client-ca.crt", "client-ca.key")


def _data(secret: Json, name: str) -> str:
    return base64.b64decode((secret.get("data") or {}).get(name, "")).decode()


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of ours."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: Server
    timeout = 120

    def setup(self) -> None:
        if isinstance(self.request, ssl.SSLSocket):
            self.request.settimeout(10)
            self.request.do_handshake()
        super().setup()
        with contextlib.suppress(OSError):
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged."""

    def _serve(self) -> None:
        split = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(split.query))
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(data) if data else None
            code, answer = self.server_of.answer(self, self.command, urllib.parse.unquote(split.path), query, body)
        except Refused as problem:
            code, answer = problem.code, status_object(problem)
        except (ValueError, KeyError, TypeError) as problem:
            code, answer = 400, status_object(Refused(400, "BadRequest", f"the request cannot be understood: {problem}"))
        kind = "text/plain" if isinstance(answer, str) else "application/json"
        if isinstance(answer, bytes):
            kind, said = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", answer
        else:
            said = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve


def status_object(problem: Refused) -> Json:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": problem.text,
        "reason": problem.reason,
        "code": problem.code,
    }


class Api:
    """The part of Kubernetes' API that is needed to look at nodes, drain and delete them, and apply manifests."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def answer(self, method: str, path: str, query: dict[str, str], body: Json, handler: Handler) -> tuple[int, Json]:
        path = path.rstrip("/") or "/"
        if method == "GET" and (said := self._plain(path)) is not None:
            return said
        place = re.fullmatch(r"(/api/v1|/apis/[^/]+/[^/]+)(?:/namespaces/([^/]+))?/([a-z]+)(?:/([^/]+))?(?:/([a-z]+))?", path)
        if place and place[2] is None and (lone := re.fullmatch(r"/api/v1/namespaces(?:/([^/]+))?", path)):
            return self._things(method, "v1", "", "namespaces", lone[1] or "", "", query, body, handler)
        if not place:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        group = next((name for name, root in GROUPS.items() if root == place[1]), "")
        return self._things(method, group, place[2] or "", place[3], place[4] or "", place[5] or "", query, body, handler)

    def _plain(self, path: str) -> tuple[int, Json] | None:
        if path in ("/healthz", "/livez", "/readyz"):
            try:
                self._server.store.read()
            except Refused:
                return 500, f"[+]ping ok\n[-]etcd failed: reason withheld\n{path[1:]} check failed\n"
            return 200, "ok"
        if path == "/version":
            major, minor = VERSION.lstrip("v").split(".")[:2]
            return 200, {"major": major, "minor": minor, "gitVersion": VERSION, "platform": "linux/amd64", "goVersion": "none"}
        if path == "/openapi/v2":
            return 200, b""  # A document without models: clients then check nothing themselves.
        if path == "/api":
            return 200, {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            named = [group.split("/") for group in GROUPS if "/" in group]
            groups = [{"name": n, "versions": [_version(n, v)], "preferredVersion": _version(n, v)} for n, v in named]
            return 200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        group = next((name for name, root in GROUPS.items() if root == path), None)
        if group is None:
            return None
        verbs = ["create", "delete", "get", "list", "patch", "update"]
        found = [
            {"name": plural, "singularName": kind.lower(), "namespaced": spaced, "kind": kind, "verbs": verbs, **_short(plural)}
            for (of, plural), (kind, spaced) in KINDS.items()
            if of == group
        ]
        if group == "v1":
            eviction = {"name": "pods/eviction", "singularName": "", "namespaced": True, "kind": "Eviction", "verbs": ["create"]}
            found.append({**eviction, "group": "policy", "version": "v1"})
        return 200, {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group, "resources": found}

    def _things(
        self,
        method: str,
        group: str,
        space: str,
        plural: str,
        name: str,
        part: str,
        query: dict[str, str],
        body: Json,
        handler: Handler,
    ) -> tuple[int, Json]:
        if (group, plural) not in KINDS:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        if query.get("watch") in ("1", "true"):
            raise Refused(405, "MethodNotAllowed", "watching is not simulated")
        store, kind = self._server.store, KINDS[group, plural][0]
        path = path_of(group, plural, space, name) if name else ""
        missing = Refused(404, "NotFound", f'{plural} "{name}" not found')
        if part == "eviction" and method == "POST":
            store.change(lambda state: self._evict(state, path, missing))
            return 201, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
        if part and part != "status":
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        if method == "GET":
            objects = store.read()["objects"]
            if name:
                if path not in objects:
                    raise missing
                return 200, self._shown(kind, [objects[path]], handler, alone=True)
            root = GROUPS[group] + (f"/namespaces/{space}" if space else "")
            pattern = re.compile(rf"{re.escape(root)}(?:/namespaces/[^/]+)?/{plural}/[^/]+")
            found = [one for key, one in sorted(objects.items()) if pattern.fullmatch(key) and _selected(one, query)]
            return 200, self._shown(kind, found, handler)
        if method == "POST" and not name:
            body["metadata"]["namespace"] = space
            if not space:
                del body["metadata"]["namespace"]
            fresh = path_of(group, plural, space, body["metadata"]["name"])
            return 201, store.change(lambda state: self._create(state, fresh, body, plural))
        if method in ("PUT", "PATCH") and name:
            return 200, store.change(lambda state: self._edit(state, path, body, method, missing))
        if method == "DELETE" and name:
            store.change(lambda state: self._delete(state, path, name, missing))
            return 200, {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Success",
                "details": {"name": name, "kind": plural},
            }
        raise Refused(405, "MethodNotAllowed", f"the server does not allow this method on the requested resource: {method} {plural}")

    def _create(self, state: dict[str, Json], path: str, body: Json, plural: str) -> Json:
        if path in state["objects"]:
            raise Refused(409, "AlreadyExists", f'{plural} "{path.rpartition("/")[2]}" already exists')
        put(state, path, body)
        reconcile(state, self._server.disabled)
        return state["objects"].get(path, body)

    def _edit(self, state: dict[str, Json], path: str, body: Json, method: str, missing: Refused) -> Json:
        if path not in state["objects"]:
            raise missing
        if isinstance(body, list):
            raise Refused(415, "UnsupportedMediaType", "JSON patches are not simulated")
        thing = put(state, path, merged(state["objects"][path], body) if method == "PATCH" else body)
        reconcile(state, self._server.disabled)
        return thing

    def _evict(self, state: dict[str, Json], path: str, missing: Refused) -> None:
        if path not in state["objects"]:
            raise missing
        del state["objects"][path]
        reconcile(state, self._server.disabled)

    def _delete(self, state: dict[str, Json], path: str, name: str, missing: Refused) -> None:
        if path not in state["objects"]:
            raise missing
        del state["objects"][path]
        if path.startswith("/api/v1/nodes/"):
            # Its password goes with it, and its membership, as the controllers of k3s see to.
            state["objects"].pop(path_of("v1", "secrets", "kube-system", f"{name}.node-password.k3s"), None)
            if name in state["members"]:
                if len(state["members"]) == 1:
                    raise Refused(403, "Forbidden", "the last member of etcd cannot be removed")
                del state["members"][name]
        reconcile(state, self._server.disabled)

    def _shown(self, kind: str, found: list[Json], handler: Handler, alone: bool = False) -> Json:
        things = [self._with_condition(one) if kind == "Node" else one for one in found]
        if "as=Table" in handler.headers.get("Accept", ""):
            return table(kind, things)
        if alone:
            return things[0]
        group = found[0]["apiVersion"] if found else "v1"
        return {"kind": f"{kind}List", "apiVersion": group, "metadata": {"resourceVersion": str(self._server.store.state["revision"])}} | {
            "items": things
        }

    def _with_condition(self, node: Json) -> Json:
        """Ready, as far as this server has heard of it."""
        heard = time.monotonic() - self._server.seen.get(node["metadata"]["name"], self._server.begun)
        ok = heard < LOST_SECONDS
        condition = {"type": "Ready", "status": "True" if ok else "Unknown", "reason": "KubeletReady" if ok else "NodeStatusUnknown"}
        told = "kubelet is posting ready status" if ok else "Kubelet stopped posting node status."
        return merged(node, {"status": {"conditions": [{**condition, "message": told}]}})


def _version(name: str, version: str) -> Json:
    return {"groupVersion": f"{name}/{version}", "version": version}


def _short(plural: str) -> dict[str, Json]:
    short = {"nodes": "no", "namespaces": "ns", "pods": "po", "configmaps": "cm", "services": "svc"}.get(plural)
    return {"shortNames": [short]} if short else {}


def _selected(thing: Json, query: dict[str, str]) -> bool:
    fields = {"metadata.name": thing["metadata"].get("name"), "metadata.namespace": thing["metadata"].get("namespace")}
    fields["spec.nodeName"] = (thing.get("spec") or {}).get("nodeName")
    labels = thing["metadata"].get("labels") or {}
    for text, known in ((query.get("fieldSelector", ""), fields), (query.get("labelSelector", ""), labels)):
        for one in filter(None, text.split(",")):
            name, equals, value = one.replace("==", "=").partition("=")
            if name not in known or (equals and known[name] != value):
                return False
    return True


def table(kind: str, things: list[Json]) -> Json:
    """As a client prints it."""
    columns: list[tuple[str, Callable[[Json], Json]]] = [("Name", lambda one: one["metadata"]["name"])]
    if kind == "Node":
        columns += [("Status", _node_status), ("Roles", _roles), ("Age", _age)]
        columns += [("Version", lambda one: one["status"]["nodeInfo"]["kubeletVersion"])]
    elif kind == "Pod":
        columns += [
            ("Ready", lambda one: "1/1"),
            ("Status", lambda one: one["status"]["phase"]),
            ("Restarts", lambda one: "0"),
            ("Age", _age),
        ]
        columns += [("Node", lambda one: one["spec"]["nodeName"])]
    elif kind == "HelmChart":
        columns += [("Chart", lambda one: one["spec"].get("chart")), ("Version", lambda one: one["spec"].get("version"))]
        columns += [("Failed", lambda one: (one.get("status") or {}).get("conditions", [{}])[-1].get("status")), ("Age", _age)]
    else:
        columns += [("Age", _age)]
    kinds = [{"name": n, "type": "string", "format": "name" if n == "Name" else "", "description": n, "priority": 0} for n, _ in columns]
    rows = [
        {"cells": [str(of(one) or "") for _, of in columns], "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}}
        | {"object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": one["metadata"]}}
        for one in things
    ]
    return {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "columnDefinitions": kinds, "rows": rows}


def _node_status(node: Json) -> str:
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in node["status"]["conditions"])
    return ("Ready" if ready else "NotReady") + (",SchedulingDisabled" if node["spec"].get("unschedulable") else "")


def _roles(node: Json) -> str:
    start = "node-role.kubernetes.io/"
    return ",".join(sorted(one[len(start) :] for one in node["metadata"]["labels"] if one.startswith(start))) or "<none>"


def _age(thing: Json) -> str:
    made = dt.datetime.strptime(thing["metadata"]["creationTimestamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
    seconds = int((dt.datetime.now(dt.UTC) - made).total_seconds())
    return f"{seconds}s" if seconds < 120 else f"{seconds // 60}m" if seconds < 7200 else f"{seconds // 3600}h"


# The agent: every node has one; on a server it is part of the same process.


class Agent:
    def __init__(self, said: dict[str, Json], server: Server | None = None) -> None:
        self.said, self.server = said, server
        self.name, self.address = node_name(said), node_address(said)
        self.password = _node_password()
        self.addresses: list[str] = []
        self.authority, self.secret = "", ""

    def told(self) -> dict[str, Json]:
        more = {"labels": self.said.get("node-label", []), "taints": self.said.get("node-taint", []), "version": VERSION}
        return {"name": self.name, "password": self.password, "address": self.address, "server": self.server is not None, **more}

    def run(self) -> None:
        url, token = str(self.said.get("server") or ""), str(self.said.get("token") or "")
        for what, value in (("token", token), ("server", url)):
            if not value:
                die(f"--{what} is required")
        while True:
            try:
                address, self.authority, self.secret = meet(url, token)
                self.addresses = [address]
                self.register()
                break
            except (OSError, ValueError, http.client.HTTPException) as problem:
                log("error", f"Failed to retrieve agent configuration from server: {problem}")
                time.sleep(RETRY_SECONDS)
        notify("READY=1")
        log("info", f"k3s agent is up and running ({VERSION}: a stand-in, no container runs)")
        self.beat()

    def register(self) -> None:
        if self.server is not None:
            self._register_here(self.server)
            return
        code, answer = self._ask(self.addresses[0], "POST", "node", self.told())
        if code != 200:
            why = answer["message"] if isinstance(answer, dict) else answer
            raise OSError(f"https://{self.addresses[0]}:{PORT}/v1-k3s/node: {code} {why}")

    def _register_here(self, server: Server) -> None:
        while True:
            try:
                server.store.change(lambda state: server._add_node(state, self.told()))
                return
            except Refused as problem:
                if problem.code == 403:
                    die(problem.text)
                log("error", f"Waiting to register node {self.name}: {problem.text}")
                time.sleep(1)

    def beat(self) -> None:
        """Tells every server that it is there. A node that was deleted is not there again before it starts anew."""
        while True:
            for address in self._servers():
                threading.Thread(target=self._tell, args=(address,), daemon=True).start()
            time.sleep(HEARTBEAT_SECONDS)

    def _tell(self, address: str) -> None:
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
            self._ask(address, "POST", "heartbeat", {"name": self.name, "password": self.password})

    def _servers(self) -> list[str]:
        if self.server is not None:
            if f"/api/v1/nodes/{self.name}" in self.server.store.state["objects"]:
                self.server.seen[self.name] = time.monotonic()
            self.authority, self.secret = self.server.authority, self.server.token_secret
            return [one["address"] for name, one in self.server.store.state["members"].items() if name != self.name]
        for address in self.addresses:
            with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
                code, found = self._ask(address, "GET", "apiservers")
                if code == 200:
                    self.addresses = [address, *(one for one in found if one != address)]
                    break
        return self.addresses

    def _ask(self, address: str, method: str, what: str, body: Json = None) -> tuple[int, Json]:
        web = Web(address, trusting(self.authority), seconds_max=5)
        return web.ask(method, f"/v1-k3s/{what}", body, Authorization=basic("node", self.secret))


def node_name(said: dict[str, Json]) -> str:
    return str(said.get("node-name") or socket.gethostname()).lower()


def node_address(said: dict[str, Json]) -> str:
    """That was said, else the one that leads to the world."""
    if said.get("node-ip"):
        return str(said["node-ip"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("203.0.113.1", 9))
        return str(probe.getsockname()[0])


def _node_password() -> str:
    if not NODE_PASSWORD.exists():
        NODE_PASSWORD.parent.mkdir(parents=True, exist_ok=True)
        NODE_PASSWORD.touch(mode=0o600)
        NODE_PASSWORD.write_text(secrets.token_hex(16) + "\n")
    return NODE_PASSWORD.read_text().strip()


def notify(text: str) -> None:
    """As systemd wants to be told."""
    if place := os.environ.pop("NOTIFY_SOCKET", ""):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line, contextlib.suppress(OSError):
            line.connect("\0" + place[1:] if place.startswith("@") else place)
            line.sendall(text.encode())


# `k3s kubectl` and `k3s token`: the released program has all of kubectl in it, this one has what a playbook asks for.


def admin() -> Web:
    tls = DATA / "server" / "tls"
    if not (tls / "client-admin.crt").exists():
        print(f"error: open {KUBECONFIG}: no such file: this is no server of k3s", file=sys.stderr)
        sys.exit(1)
    return Web("127.0.0.1", trusting((tls / "server-ca.crt").read_text(), tls / "client-admin.crt"), seconds_max=15)


def fetched(web: Web, method: str, path: str, body: Json = None, **headers: str) -> Json:
    try:
        code, answer = web.ask(method, path, body, **headers)
    except (OSError, http.client.HTTPException) as problem:
        print(
            f"The connection to the server 127.0.0.1:{PORT} was refused - did you specify the right host or port? ({problem})",
            file=sys.stderr,
        )
        sys.exit(1)
    if code >= 400:
        told = (
            f"Error from server ({answer['reason']}): {answer['message']}" if isinstance(answer, dict) else f"Error from server: {answer}"
        )
        print(told, file=sys.stderr)
        sys.exit(1)
    return answer


def kubectl(words: list[str]) -> None:
    for number, word in enumerate(words[:-1]):
        if word == "-o":
            words = [*words[:number], f"--output={words[number + 1]}", *words[number + 2 :]]
            break
    flags = {one.partition("=")[0]: one.partition("=")[2] or "true" for one in words if one.startswith("-") and one != "-A"}
    plain = [one for one in words if not one.startswith("-")]
    web = admin()
    match plain:
        case ["get", path] if "--raw" in flags:
            said = fetched(web, "GET", path)
            print(said if isinstance(said, str) else json.dumps(said), end="" if isinstance(said, str) else "\n")
        case ["get", *what] if what:
            _allow(flags, "--output", "-o", "-ojson", "-oname", "-owide", "--all-namespaces", "--ignore-not-found", "--no-headers")
            _get(web, what, flags)
        case ["cordon" | "uncordon" as verb, name]:
            _allow(flags)
            fetched(web, "PATCH", f"/api/v1/nodes/{name}", {"spec": {"unschedulable": verb == "cordon" or None}})
            print(f"node/{name} {verb}ed")
        case ["drain", name]:
            _allow(flags, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout", "--grace-period", "--disable-eviction")
            fetched(web, "PATCH", f"/api/v1/nodes/{name}", {"spec": {"unschedulable": True}})
            print(f"node/{name} cordoned")
            for pod in fetched(web, "GET", f"/api/v1/pods?fieldSelector=spec.nodeName%3D{name}")["items"]:
                meta = pod["metadata"]
                print(f"evicting pod {meta['namespace']}/{meta['name']}")
                fetched(web, "POST", f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/eviction", {})
            print(f"node/{name} drained")
        case ["delete", "node", name] | ["delete", "nodes", name]:
            _allow(flags, "--ignore-not-found", "--timeout", "--wait")
            if "--ignore-not-found" in flags and web.ask("GET", f"/api/v1/nodes/{name}")[0] == 404:
                return
            fetched(web, "DELETE", f"/api/v1/nodes/{name}")
            print(f'node "{name}" deleted')
        case _:
            print(f"error: unknown command {' '.join(plain[:2])!r} for the kubectl of this stand-in: use Debian's", file=sys.stderr)
            sys.exit(1)


def _allow(flags: dict[str, str], *known: str) -> None:
    if unknown := [one for one in flags if one not in known]:
        print(f"error: unknown flag: {unknown[0]}", file=sys.stderr)
        sys.exit(1)


def _get(web: Web, what: list[str], flags: dict[str, str]) -> None:
    plural, _, name = what[0].partition("/")
    name = name or (what[1] if len(what) > 1 else "")
    plural = {"node": "nodes", "no": "nodes", "pod": "pods", "po": "pods", "helmchart": "helmcharts", "addon": "addons"}.get(plural, plural)
    group = next((of for (of, one) in KINDS if one == plural), "")
    if not group:
        print(f'error: the server doesn\'t have a resource type "{plural}"', file=sys.stderr)
        sys.exit(1)
    path = f"{GROUPS[group]}/{plural}" + (f"/{name}" if name else "")
    if name and KINDS[group, plural][1]:
        path = path_of(group, plural, "kube-system", name)
    form = flags.get("--output") or next((one[2:] for one in flags if one[:2] == "-o" and len(one) > 2), "")
    if name and "--ignore-not-found" in flags and web.ask("GET", path)[0] == 404:
        return
    if form in ("json", "name"):
        found = fetched(web, "GET", path)
        things = found.get("items", [found])
        print(json.dumps(found) if form == "json" else "\n".join(f"{plural[:-1]}/{one['metadata']['name']}" for one in things))
        return
    shown = fetched(web, "GET", path, Accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    rows = [] if "--no-headers" in flags else [[one["name"].upper() for one in shown["columnDefinitions"]]]
    rows += [one["cells"] for one in shown["rows"]]
    wide = [max(len(row[column]) for row in rows) for column in range(len(shown["columnDefinitions"]))] if rows else []
    for row in rows:
        print("   ".join(cell.ljust(wide[column]) for column, cell in enumerate(row)).rstrip())


def token(words: list[str]) -> None:
    if words[:1] != ["create"]:
        print("NAME: k3s token - this stand-in knows `create [--ttl 24h]`", file=sys.stderr)
        sys.exit(1)
    ttl = next(_values(words, "--ttl"), "24h")
    seconds = int(ttl[:-1]) * {"s": 1, "m": 60, "h": 3600}[ttl[-1]]
    identity, secret = secrets.token_hex(3), secrets.token_hex(8)
    ends = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    said = {"token-id": identity, "token-secret": secret, "expiration": ends, "usage-bootstrap-authentication": "true"}
    thing = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"bootstrap-token-{identity}"},
        "type": "bootstrap.kubernetes.io/token",
        "data": {name: base64.b64encode(value.encode()).decode() for name, value in said.items()},
    }
    fetched(admin(), "POST", "/api/v1/namespaces/kube-system/secrets", thing)
    authority = (DATA / "server" / "tls" / "server-ca.crt").read_text()
    print(f"K10{bundle_hash(authority)}::{identity}.{secret}")


def _values(words: list[str], name: str) -> Iterator[str]:
    for number, word in enumerate(words):
        if word == name and number + 1 < len(words):
            yield words[number + 1]
        elif word.startswith(f"{name}="):
            yield word.partition("=")[2]


def main(words: list[str]) -> None:
    if os.path.basename(sys.argv[0]) == "kubectl":
        words = ["kubectl", *words]
    match words:
        case ["--version" | "-v", *_]:
            print(f"k3s version {VERSION} (stand-in of cluster_sim)")
        case ["server", *more]:
            said = options("server", more)
            signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
            Server(said).run()
        case ["agent", *more]:
            said = options("agent", more)
            signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
            Agent(said).run()
        case ["kubectl", *more]:
            kubectl(more)
        case ["token", *more]:
            token(more)
        case _:
            print(f"No help topic for '{' '.join(words[:1])}'", file=sys.stderr)
            sys.exit(3)


if __name__ == "__main__":
    main(sys.argv[1:])
