"""A cluster just large enough for the stand-in provider's recorded calls, and for a clone onto another node.

Its answers are the recorded ones. It is no simulator: it keeps VMs as dictionaries, lets either node answer for them, ends every
task at once, and writes down every call.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from cluster_sim.http import Answer, Request, json_answer

GIB = 2**30
SHARED = ("ceph-vm", "nfs")
TEMPLATE = {
    "agent": "enabled=1",
    "boot": "order=scsi0",
    "cores": 1,
    "memory": "1024",
    "name": "debian-12",
    "net0": "virtio=BC:24:11:00:23:28,bridge=vmbr0",
    "ostype": "l26",
    "scsihw": "virtio-scsi-single",
    "scsi0": "local-lvm:base-9000-disk-0,size=2G",
    "template": 1,
}


@dataclass
class Cluster:
    vms: dict[int, dict[str, Any]] = field(default_factory=lambda: {9000: {"config": dict(TEMPLATE), "status": "stopped"}})
    calls: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    failing: dict[tuple[str, str], Answer] = field(default_factory=dict)
    """Answers given instead, by method and end of the path."""
    failing_once: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)
    """The same, each given a single time."""
    agent_addresses: bool = True
    clone_delay_s: float = 0.0

    @property
    def paths(self) -> list[str]:
        """The paths called, in order."""
        return [path for _, path, _ in self.calls]

    def __call__(self, request: Request) -> Answer:
        path = request.path.removeprefix("/api2/json")
        values = dict(request.form if request.method in ("POST", "PUT") else request.query)
        self.calls.append((request.method, path, values))
        for (method, end), answer in self.failing.items():
            if request.method == method and path.endswith(end):
                return answer
        for (method, end), answers in self.failing_once.items():
            if request.method == method and path.endswith(end) and answers:
                return answers.pop(0)
        for method, pattern, handler in self._addresses():
            found = re.fullmatch(pattern, path)
            if found and request.method == method:
                return handler(values, *found.groups())
        return json_answer({"data": None, "message": f"not in the small cluster: {request.method} {path}"}, 501)

    def _addresses(self) -> list[tuple[str, str, Callable[..., Answer]]]:
        node = r"/nodes/pve[12]"
        vm = node + r"/qemu/(\d+)"
        return [
            ("GET", r"/cluster/resources", lambda q: _data([self._resource(i) for i in self.vms])),
            ("GET", r"/pools", lambda q: _data([])),
            (
                "GET",
                node + r"/storage/[^/]+/content/(.+)",
                lambda q, v: _data({"path": v, "size": GIB, "used": 0, "format": "raw"}),
            ),
            ("GET", node + r"/storage/([^/]+)/status", lambda q, s: _data({"shared": int(s in SHARED), "active": 1})),
            ("GET", node + r"/tasks/[^/]+/status", lambda q: _data({"status": "stopped", "exitstatus": "OK"})),
            ("POST", vm + "/clone", self._clone),
            ("POST", vm + "/migrate", self._migrate),
            ("GET", vm + "/config", lambda q, i: self._of(i, lambda vm: _data(vm["config"] | {"digest": "0" * 40}))),
            ("PUT", vm + "/config", self._configure),
            ("PUT", vm + "/cloudinit", lambda q, i: _data(None)),
            ("PUT", vm + "/resize", self._resize),
            ("GET", vm + "/status/current", lambda q, i: self._of(i, lambda vm: _data({"vmid": int(i), "status": vm["status"]}))),
            ("POST", vm + "/status/(start|stop|shutdown|reboot)", self._power),
            ("POST", vm + "/move_disk", self._move),
            ("POST", vm + "/agent/ping", lambda q, i: _data({"result": {}})),
            ("GET", vm + "/agent/network-get-interfaces", lambda q, i: _data({"result": self._interfaces(int(i))})),
            ("DELETE", vm + "/", self._delete),
        ]

    def _of(self, vm_id: str, then: Callable[[dict[str, Any]], Answer]) -> Answer:
        vm = self.vms.get(int(vm_id))
        if vm is None:
            reason = f"Configuration file 'nodes/pve1/qemu-server/{vm_id}.conf' does not exist"
            return json_answer({"data": None, "message": f"{reason}\n"}, 500, reason=reason)
        return then(vm)

    def _resource(self, vm_id: int) -> dict[str, Any]:
        vm = self.vms[vm_id]
        return {
            "id": f"qemu/{vm_id}",
            "type": "qemu",
            "node": vm.get("node", "pve1"),
            "vmid": vm_id,
            "status": vm["status"],
            "name": vm["config"]["name"],
        }

    def _clone(self, form: dict[str, str], source: str) -> Answer:
        new = int(form["newid"])
        if new in self.vms:
            return json_answer({"data": None, "message": "x"}, 500, reason=f"unable to create VM {new}: config file already exists")
        config = {k: v for k, v in self.vms[int(source)]["config"].items() if k != "template"}
        storage = form.get("storage", config["scsi0"].partition(":")[0])
        config["scsi0"] = f"{storage}:vm-{new}-disk-0,size=2G"
        config |= {name: form[name] for name in ("name", "description") if name in form}
        self.vms[new] = {"config": config, "status": "stopped", "node": form.get("target", "pve1")}
        return replace(_task("qmclone", source), delay_s=self.clone_delay_s)

    def _migrate(self, form: dict[str, str], vm_id: str) -> Answer:
        def change(vm: dict[str, Any]) -> Answer:
            vm["node"] = form["target"]
            return _task("qmigrate", vm_id)

        return self._of(vm_id, change)

    def _configure(self, form: dict[str, str], vm_id: str) -> Answer:
        def change(vm: dict[str, Any]) -> Answer:
            config = vm["config"]
            for name in filter(None, form.get("delete", "").split(",")):
                config.pop(name, None)
            for name, value in form.items():
                if name != "delete":
                    config[name] = _stored(name, value, int(vm_id), str(config.get(name, "")))
            return _data(None)

        return self._of(vm_id, change)

    def _resize(self, form: dict[str, str], vm_id: str) -> Answer:
        def change(vm: dict[str, Any]) -> Answer:
            size = int(form["size"]) // GIB
            vm["config"][form["disk"]] = re.sub(r"size=\w+", f"size={size}G", vm["config"][form["disk"]])
            return _task("resize", vm_id)

        return self._of(vm_id, change)

    def _move(self, form: dict[str, str], vm_id: str) -> Answer:
        def change(vm: dict[str, Any]) -> Answer:
            vm["config"][form["disk"]] = re.sub(r"^[^:]+", form["storage"], vm["config"][form["disk"]])
            return _task("qmmove", vm_id)

        return self._of(vm_id, change)

    def _power(self, form: dict[str, str], vm_id: str, verb: str) -> Answer:
        def change(vm: dict[str, Any]) -> Answer:
            vm["status"] = "running" if verb in ("start", "reboot") else "stopped"
            return _task(f"qm{verb}", vm_id)

        return self._of(vm_id, change)

    def _delete(self, query: dict[str, str], vm_id: str) -> Answer:
        def change(_vm: dict[str, Any]) -> Answer:
            del self.vms[int(vm_id)]
            return _task("qmdestroy", vm_id)

        return self._of(vm_id, change)

    def _interfaces(self, vm_id: int) -> list[dict[str, Any]]:
        loopback = {"name": "lo", "hardware-address": "00:00:00:00:00:00", "ip-addresses": [_ip("127.0.0.1", 8)]}
        ethernet = {"name": "eth0", "hardware-address": _mac(vm_id).lower(), "ip-addresses": [_ip(f"10.20.0.{vm_id}", 24)]}
        return [loopback, ethernet] if self.agent_addresses else [loopback]


def _ip(address: str, prefix: int) -> dict[str, Any]:
    return {"ip-address": address, "ip-address-type": "ipv4", "prefix": prefix}


def _mac(vm_id: int) -> str:
    return f"BC:24:11:00:00:{vm_id % 256:02X}"


def _stored(name: str, value: str, vm_id: int, before: str) -> Any:
    """A value as Proxmox stores it: numbers as numbers, a disk's volume first and its size last."""
    if name in ("cores", "sockets", "numa", "onboot", "balloon"):
        return int(value)
    if value.startswith("file=") and "cloudinit" in value:
        return f"local-lvm:vm-{vm_id}-cloudinit,media=cdrom,size=4M"
    if value.startswith("file="):
        parts = [part for part in value.removeprefix("file=").split(",") if not part.startswith("size=")]
        new = re.fullmatch(r"([\w-]+):(\d+)", parts[0])
        if new:
            return ",".join([f"{new[1]}:vm-{vm_id}-disk-1", *parts[1:], f"size={new[2]}G"])
        size = re.search(r"size=(\w+)", before)
        return ",".join([*parts, *([f"size={size[1]}"] if size else [])])
    if re.fullmatch(r"net\d+", name):
        parts = dict(part.partition("=")[::2] for part in value.split(","))
        model, mac = parts.pop("model"), parts.pop("macaddr", _mac(vm_id))
        return ",".join([f"{model}={mac}", *(f"{k}={v}" for k, v in parts.items())])
    return value


def _data(value: Any) -> Answer:
    return json_answer({"data": value})


def _task(kind: str, vm_id: str) -> Answer:
    return _data(f"UPID:pve1:00001234:00ABCDEF:6560A000:{kind}:{vm_id}:ops@pve!berth:")
