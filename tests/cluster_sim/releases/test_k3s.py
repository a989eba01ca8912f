"""The stand-in of k3s, by its parts: its command line, its tokens, and the state that its servers keep by majority. That it runs as a
service is told in tests/stories/test_k3s_cluster.py."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any

import pytest

from cluster_sim import releases
from cluster_sim.releases import k3s

CA = "a" * 64


@pytest.mark.parametrize(
    ("token", "parts"),
    [
        (f"K10{CA}::server:sesame", (CA, "server", "sesame")),
        (f"K10{CA}::abcdef.0123456789abcdef", (CA, "", "abcdef.0123456789abcdef")),
        ("sesame", ("", "", "sesame")),
    ],
)
def test_a_token_names_the_authority_that_it_trusts(token: str, parts: tuple[str, str, str]) -> None:
    assert k3s.parse_token(token) == parts


@pytest.mark.parametrize("token", ["", "K10abc::server:sesame", f"K10{CA}:server:sesame"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="token"):
        k3s.parse_token(token)


def test_a_configuration_file_is_read_as_k3s_reads_it() -> None:
    text = '# ours\nnode-name: n1\ncluster-init: true\ntoken: "a: b"\ntls-san:\n  - 10.0.0.9\n  - api\ndisable: ["traefik"]\n'
    said = {"node-name": "n1", "cluster-init": True, "token": "a: b", "tls-san": ["10.0.0.9", "api"], "disable": ["traefik"]}
    assert k3s.read_config(text) == said


@pytest.mark.parametrize(
    ("kind", "words"), [("server", ["--nonsense"]), ("agent", ["--cluster-init"]), ("agent", ["--tls-san", "x"]), ("server", ["--token"])]
)
def test_a_flag_that_is_not_there_ends_it(kind: str, words: list[str]) -> None:
    with pytest.raises(SystemExit):
        k3s.options(kind, words)


def test_what_the_mirror_serves_is_what_it_lists() -> None:
    for row in releases.listed("http://10.0.20.1:3142"):
        content = releases.served(row["url"].removeprefix("http://10.0.20.1:3142"))
        assert content is not None
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
        assert f'VERSION = "{row["version"]}"'.encode() in content
    assert releases.served("/releases/k3s/v9.9.9/k3s") is None
    assert releases.served("/releases/k3s/../../pod.py") is None


class Wire:
    """From one server to another, in place of HTTPS."""

    def __init__(self, stores: dict[str, k3s.Store], down: set[str], name: str) -> None:
        self._stores, self._down, self._name = stores, down, name

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        if self._name in self._down:
            raise OSError("no route to host")
        return 200, self._stores[self._name].answer(path.removeprefix("/db/"), body)


@pytest.fixture
def three(tmp_path: Path) -> tuple[dict[str, k3s.Store], set[str]]:
    """Servers a, b and c, of which those in the set do not answer."""
    stores: dict[str, k3s.Store] = {}
    down: set[str] = set()
    for name in ("a", "b", "c"):
        stores[name] = k3s.Store(tmp_path / f"{name}.json", name, lambda address: Wire(stores, down, address))  # type: ignore[arg-type, return-value]
    stores["a"].state["members"] = {"a": {"address": "a"}}
    for name in ("b", "c"):
        stores["a"].change(lambda state, name=name: state["members"].update({name: {"address": name}}))
    return stores, down


def write(store: k3s.Store, value: str) -> None:
    store.change(lambda state: state["objects"].update(x=value))


def test_what_one_server_was_told_every_server_says(three: tuple[dict[str, k3s.Store], set[str]]) -> None:
    stores, _ = three
    write(stores["b"], "1")
    assert [stores[name].read()["objects"]["x"] for name in ("a", "b", "c")] == ["1", "1", "1"]


def test_two_of_three_go_on_and_the_third_catches_up(three: tuple[dict[str, k3s.Store], set[str]]) -> None:
    stores, down = three
    down.add("a")
    write(stores["b"], "1")
    write(stores["c"], "2")
    down.clear()
    assert stores["a"].read()["objects"]["x"] == "2"


def test_one_that_is_silent_keeps_nobody_from_the_others(three: tuple[dict[str, k3s.Store], set[str]], tmp_path: Path) -> None:
    stores, _ = three
    back = threading.Event()

    class Silent(Wire):
        def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
            if self._name == "a":
                back.wait(60)
            return super().ask(method, path, body, **headers)

    asking = k3s.Store(tmp_path / "c.json", "c", lambda address: Silent(stores, set(), address))  # type: ignore[arg-type, return-value]
    try:
        for number in range(40):
            write(asking, str(number))
        assert asking.read()["objects"]["x"] == stores["b"].state["objects"]["x"] == "39"
    finally:
        back.set()


def test_a_change_whose_acceptance_was_not_heard_is_made_once(three: tuple[dict[str, k3s.Store], set[str]], tmp_path: Path) -> None:
    stores, _ = three
    unheard = {"a", "b"}

    class Lossy(Wire):
        def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
            answer = super().ask(method, path, body, **headers)
            if path == "/db/accept" and self._name in unheard:
                unheard.remove(self._name)
                raise OSError("the answer was lost")
            return answer

    asking = k3s.Store(tmp_path / "c.json", "c", lambda address: Lossy(stores, set(), address))  # type: ignore[arg-type, return-value]
    asking.change(lambda state: state["objects"].update(x=state["objects"].get("x", 0) + 1))
    assert unheard == set()
    assert asking.read()["objects"]["x"] == stores["a"].read()["objects"]["x"] == 1


def test_one_of_three_neither_reads_nor_writes(three: tuple[dict[str, k3s.Store], set[str]]) -> None:
    stores, down = three
    write(stores["a"], "1")
    down |= {"b", "c"}
    for deed in (lambda: write(stores["a"], "2"), stores["a"].read):
        with pytest.raises(k3s.Refused) as refused:
            deed()
        assert refused.value.code == 503
    down.clear()
    assert stores["b"].read()["objects"]["x"] == "1"


def test_a_server_that_starts_again_knows_what_it_promised(tmp_path: Path, three: tuple[dict[str, k3s.Store], set[str]]) -> None:
    stores, _ = three
    write(stores["a"], "1")
    again = k3s.Store(tmp_path / "a.json", "a", lambda address: Wire(stores, set(), address))  # type: ignore[arg-type, return-value]
    assert (again.promised, again.accepted, again.state) == (stores["a"].promised, stores["a"].accepted, stores["a"].state)


def test_pods_leave_a_node_that_is_drained_and_a_chart_that_no_repository_has_fails() -> None:
    state: dict[str, Any] = {"members": {}, "objects": {}, "revision": 1}
    for name in ("n1", "n2"):
        told = {"name": name, "server": False, "labels": [], "taints": [], "address": "10.0.0.1", "version": "v1"}
        k3s.put(state, f"/api/v1/nodes/{name}", k3s.node_object(told, None))
    chart = {"metadata": {"name": "nosuch", "namespace": "kube-system"}, "kind": "HelmChart", "spec": {"chart": "nosuch"}}
    k3s.put(state, "/apis/helm.cattle.io/v1/namespaces/kube-system/helmcharts/nosuch", chart)
    k3s.reconcile(state, set())
    assert {"type": "Failed", "status": "True"}.items() <= chart["status"]["conditions"][-1].items()
    job = state["objects"]["/apis/batch/v1/namespaces/kube-system/jobs/helm-install-nosuch"]
    assert job["status"] == {"conditions": [{"type": "Failed", "status": "True"}]}
    state["objects"]["/api/v1/nodes/n1"]["spec"]["unschedulable"] = True
    for path in [path for path, one in state["objects"].items() if one.get("spec", {}).get("nodeName") == "n1"]:
        del state["objects"][path]
    k3s.reconcile(state, set())
    pods = [one for path, one in state["objects"].items() if "/pods/" in path]
    assert len(pods) == 4
    assert {pod["spec"]["nodeName"] for pod in pods} == {"n2"}
