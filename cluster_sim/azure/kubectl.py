"""What `kubectl` does with the objects of a simulated cluster: it applies, creates, gets and deletes them as an API server would.

Objects are kept and checked; there is no kubelet behind them, so nothing ever runs in a pod, and what waits for that says so.
"""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

Objects = dict[str, dict[str, Any]]
NO_KUBELET = "error: cluster_sim has no kubelet: objects are kept and checked, and nothing runs in a pod here."
ALWAYS_THERE = ("default", "kube-node-lease", "kube-public", "kube-system", "aks-command", "gatekeeper-system")
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


@dataclass(frozen=True)
class Kind:
    name: str
    version: str
    plural: str
    namespaced: bool = True
    short: str = ""

    @property
    def shown(self) -> str:
        """`role.rbac.authorization.k8s.io`"""
        group = self.version.rpartition("/")[0]
        return f"{self.name.lower()}{'.' + group if group else ''}"

    def is_called(self, word: str) -> bool:
        return word.lower().partition(".")[0] in (self.name.lower(), self.plural, self.short)


KINDS = (
    Kind("Namespace", "v1", "namespaces", False, "ns"),
    Kind("ServiceAccount", "v1", "serviceaccounts", short="sa"),
    Kind("ConfigMap", "v1", "configmaps", short="cm"),
    Kind("Secret", "v1", "secrets"),
    Kind("Pod", "v1", "pods", short="po"),
    Kind("Service", "v1", "services", short="svc"),
    Kind("PersistentVolumeClaim", "v1", "persistentvolumeclaims", short="pvc"),
    Kind("ResourceQuota", "v1", "resourcequotas", short="quota"),
    Kind("LimitRange", "v1", "limitranges", short="limits"),
    Kind("Role", "rbac.authorization.k8s.io/v1", "roles"),
    Kind("RoleBinding", "rbac.authorization.k8s.io/v1", "rolebindings"),
    Kind("ClusterRole", "rbac.authorization.k8s.io/v1", "clusterroles", False),
    Kind("ClusterRoleBinding", "rbac.authorization.k8s.io/v1", "clusterrolebindings", False),
    Kind("DaemonSet", "apps/v1", "daemonsets", short="ds"),
    Kind("Deployment", "apps/v1", "deployments", short="deploy"),
    Kind("Job", "batch/v1", "jobs"),
    Kind("CronJob", "batch/v1", "cronjobs", short="cj"),
    Kind("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies", short="netpol"),
    Kind("StorageClass", "storage.k8s.io/v1", "storageclasses", False, "sc"),
    Kind("RuntimeClass", "node.k8s.io/v1", "runtimeclasses", False),
)
NEEDS_KUBELET = ("wait", "logs", "exec", "run", "rollout", "attach", "cp", "port-forward", "top")
May = Callable[[str, Kind, str], bool]
"""(verb, kind, namespace): whether the caller may."""


class Refusal(Exception):
    """As kubectl prints it, and ends with 1."""


@dataclass
class Kubectl:
    objects: Objects
    """By `kind/namespace/name`; they are changed in place."""
    files: Mapping[str, str]
    nodes: tuple[str, ...]
    may: May
    who: str

    def run(self, line: str) -> tuple[int, str]:
        """(exit code, what is printed) of a line of commands joined by `&&`."""
        printed: list[str] = []
        for part in line.split("&&"):
            try:
                printed.append(self._one(shlex.split(part)))
            except ValueError as problem:
                return 2, f"/bin/sh: {problem}"
            except Refusal as refusal:
                return 1, "\n".join([*filter(None, printed), str(refusal)])
        return 0, "\n".join(filter(None, printed))

    def _one(self, argv: list[str]) -> str:
        if argv[:1] != ["kubectl"]:
            raise Refusal(f"/bin/sh: {argv[0] if argv else ''}: cluster_sim knows kubectl only")
        words, options = _parted(argv[1:])
        if not words:
            return "kubectl controls the Kubernetes cluster manager."
        verb, rest = words[0], words[1:]
        if verb in NEEDS_KUBELET:
            raise Refusal(NO_KUBELET)
        if verb == "get" and rest[:1] in (["nodes"], ["node"], ["no"]):
            return "\n".join(["NAME", *self.nodes])
        doing = {"apply": self._apply, "create": self._create, "get": self._get, "delete": self._delete}.get(verb)
        if doing is None:
            raise Refusal(f'error: unknown command "{verb}" for "kubectl" (cluster_sim knows apply, create, get and delete)')
        return doing(rest, options)

    def _apply(self, words: list[str], options: dict[str, str]) -> str:
        return "\n".join(self._write(one, kind, key, again=True) for one, kind, key in self._documents(options, "apply"))

    def _create(self, words: list[str], options: dict[str, str]) -> str:
        return "\n".join(self._write(one, kind, key, again=False) for one, kind, key in self._documents(options, "create"))

    def _get(self, words: list[str], options: dict[str, str]) -> str:
        if "f" in options:
            found = [(kind, key) for _, kind, key in self._documents(options, "get")]
        else:
            found = [pair for word in (words[0].split(",") if words else [""]) for pair in self._named(word, words[1:], options)]
        for kind, key in found:
            self._allow("get", kind, key)
            if key not in self.objects:
                raise Refusal(_not_found(kind, key))
        if options.get("o") == "name":
            return "\n".join(f"{kind.shown}/{_name(key)}" for kind, key in found)
        if options.get("o") == "json":
            items = [self.objects[key] for _, key in found]
            one = items[0] if len(items) == 1 and len(words) > 1 else {"apiVersion": "v1", "kind": "List", "items": items}
            return json.dumps(one)
        return "\n".join(["NAME", *(f"{kind.shown}/{_name(key)}" for kind, key in found)]) if found else "No resources found"

    def _named(self, word: str, names: list[str], options: dict[str, str]) -> list[tuple[Kind, str]]:
        word, _, name = word.partition("/")
        kind = next((one for one in KINDS if one.is_called(word)), None)
        if kind is None:
            raise Refusal(f'error: the server doesn\'t have a resource type "{word}"')
        space = _space(kind, options)
        if wanted := [*([name] if name else []), *names]:
            return [(kind, f"{kind.name}/{space}/{one}") for one in wanted]
        pattern = f"{kind.name}/{'*' if 'A' in options else space}/*"
        return [(kind, key) for key in sorted(fnmatch.filter(self.objects, pattern))]

    def _delete(self, words: list[str], options: dict[str, str]) -> str:
        found = (
            [(k, key) for _, k, key in self._documents(options, "delete")] if "f" in options else self._named(words[0], words[1:], options)
        )
        lines = []
        for kind, key in found:
            self._allow("delete", kind, key)
            if key not in self.objects:
                if options.get("ignore-not-found"):
                    continue
                raise Refusal(_not_found(kind, key))
            for gone in [key, *(fnmatch.filter(self.objects, f"*/{_name(key)}/*") if kind.name == "Namespace" else [])]:
                self.objects.pop(gone, None)
            lines.append(f'{kind.shown} "{_name(key)}" deleted')
        return "\n".join(lines)

    def _documents(self, options: dict[str, str], verb: str) -> list[tuple[dict[str, Any], Kind, str]]:
        file = options.get("f", "")
        if file not in self.files:
            raise Refusal(f'error: the path "{file}" does not exist')
        try:
            given = [one for one in yaml.safe_load_all(self.files[file]) if one is not None]
        except yaml.YAMLError:
            raise Refusal(f"error: error parsing {file}: error converting YAML to JSON") from None
        listed = [item for one in given for item in (one["items"] if isinstance(one, dict) and one.get("kind") == "List" else [one])]
        return [self._document(one, options, file) for one in listed]

    def _document(self, one: Any, options: dict[str, str], file: str) -> tuple[dict[str, Any], Kind, str]:
        if not isinstance(one, dict) or not one.get("kind") or not one.get("apiVersion"):
            raise Refusal(f'error: error validating "{file}": error validating data: [apiVersion not set, kind not set]')
        about = one.get("metadata") or {}
        name = str(about.get("name") or "")
        kind = next((k for k in KINDS if (k.name, k.version) == (one["kind"], one["apiVersion"])), None)
        if kind is None:
            raise Refusal(
                f'error: resource mapping not found for name: "{name}" namespace: "{about.get("namespace", "")}" from "{file}": '
                f'no matches for kind "{one["kind"]}" in version "{one["apiVersion"]}"'
            )
        if not _NAME.fullmatch(name):
            raise Refusal(f'The {kind.name} "{name}" is invalid: metadata.name: Invalid value: "{name}": a lowercase RFC 1123 subdomain')
        space = str(about.get("namespace") or _space(kind, options)) if kind.namespaced else ""
        return one, kind, f"{kind.name}/{space}/{name}"

    def _write(self, one: dict[str, Any], kind: Kind, key: str, *, again: bool) -> str:
        self._allow("create", kind, key)
        space, before = key.split("/")[1], self.objects.get(key)
        if space and space not in ALWAYS_THERE and f"Namespace//{space}" not in self.objects:
            raise Refusal(f'Error from server (NotFound): error when creating: namespaces "{space}" not found')
        if before is not None and not again:
            raise Refusal(f'Error from server (AlreadyExists): error when creating: {kind.plural} "{_name(key)}" already exists')
        if fault := _fault(kind, one):
            raise Refusal(f'The {kind.name} "{_name(key)}" is invalid: {fault}')
        self.objects[key] = one
        did = "created" if before is None else "unchanged" if before == one else "configured"
        return f"{kind.shown}/{_name(key)} {did}"

    def _allow(self, verb: str, kind: Kind, key: str) -> None:
        space = key.split("/")[1]
        if not self.may(verb, kind, space):
            where = f'in the namespace "{space}"' if space else "at the cluster scope"
            raise Refusal(
                f'Error from server (Forbidden): {kind.plural} "{_name(key)}" is forbidden: User "{self.who}" cannot {verb} resource '
                f'"{kind.plural}" in API group "{kind.version.rpartition("/")[0]}" {where}: User does not have access to the '
                "resource in Azure. Update role assignment to allow access."
            )


def _fault(kind: Kind, one: dict[str, Any]) -> str:
    """What an API server finds in the objects that a product may write; the rest it takes as it comes."""
    spec = one.get("spec") or {}
    if kind.name == "RoleBinding" and not (one.get("roleRef") or {}).get("name"):
        return "roleRef.name: Required value"
    if kind.name == "Role" and not all(rule.get("verbs") for rule in one.get("rules") or []):
        return "rules.verbs: Required value: verbs must contain at least one value"
    template = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    if kind.name in ("DaemonSet", "Deployment"):
        wanted = (spec.get("selector") or {}).get("matchLabels") or {}
        if not wanted or any(labels.get(name) != value for name, value in wanted.items()):
            return "spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`"
    pod = spec if kind.name == "Pod" else template.get("spec") or {}
    if kind.name in ("DaemonSet", "Deployment", "Job", "Pod"):
        containers = pod.get("containers") or []
        if not containers:
            return "spec.template.spec.containers: Required value"
        if lacking := next((c for c in containers if not c.get("image") or not c.get("name")), None):
            return f"spec.template.spec.containers[0].image: Required value: {lacking}"
        mounted = {m["name"] for c in containers for m in c.get("volumeMounts") or []}
        if unknown := mounted - {v["name"] for v in pod.get("volumes") or []}:
            return f'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "{sorted(unknown)[0]}"'
    if kind.name == "Job" and pod.get("restartPolicy") not in ("Never", "OnFailure"):
        return 'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'
    return ""


def _parted(argv: list[str]) -> tuple[list[str], dict[str, str]]:
    """Words, and options without their hyphens; `--namespace x`, `-n x`, `-ojson` and `--ignore-not-found` alike."""
    alone = ("A", "ignore-not-found", "show-labels")
    long = {"filename": "f", "namespace": "n", "output": "o", "all-namespaces": "A"}
    words, options, left = [], dict[str, str](), list(argv)
    while left:
        word = left.pop(0)
        if not word.startswith("-"):
            words.append(word)
            continue
        name, is_given, value = word.lstrip("-").partition("=")
        if not word.startswith("--") and len(name) > 1:
            name, value, is_given = name[0], name[1:], "="
        name = long.get(name, name)
        options[name] = value if is_given else "yes" if name in alone or not left else left.pop(0)
    return words, options


def _space(kind: Kind, options: dict[str, str]) -> str:
    return options.get("n", "default") if kind.namespaced else ""


def _name(key: str) -> str:
    return key.split("/", 2)[2]


def _not_found(kind: Kind, key: str) -> str:
    return f'Error from server (NotFound): {kind.plural} "{_name(key)}" not found'
