"""What stands around a VM: pools and their members, HA resources and HA rules. One call each; reading is one call too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from cluster_sim.mirror import planning
from cluster_sim.mirror.provider import Problem, Resource
from cluster_sim.mirror.proxmox import devices, schema
from cluster_sim.mirror.proxmox.api import Api, ApiProblem
from cluster_sim.mirror.schema import Values


class ClusterResource(Resource):
    def __init__(self, api: Callable[[], Api]) -> None:
        self._api = api

    def _found(self, path: str, **query: object) -> Any:
        """What is there, or None when nothing is."""
        try:
            return self._api().get(path, **query)
        except ApiProblem as problem:
            if problem.gone:
                return None
            raise


class Pool(ClusterResource):
    schema = schema.POOL
    legacy = True

    def create(self, planned: Values, config: Values) -> Values:
        comment = {"comment": planned["comment"]} if planned["comment"] else {}
        self._api().post("/pools", poolid=planned["pool_id"], **comment)
        return self.read(planning.without_unknowns(planned) | {"id": planned["pool_id"]}) or planned

    def read(self, state: Values) -> Values | None:
        found = self._found("/pools", poolid=state["id"])
        if not found:
            return None
        pool = found[0]
        members = [
            {
                "id": member["id"],
                "type": member["type"],
                "node_name": member.get("node"),
                "vm_id": member.get("vmid"),
                "datastore_id": member.get("storage"),
            }
            for member in pool.get("members", ())
        ]
        return state | {"pool_id": pool.get("poolid", state["id"]), "comment": pool.get("comment") or None, "members": members}

    def update(self, prior: Values, planned: Values, config: Values) -> Values:
        self._api().put("/pools", {"poolid": prior["id"], "comment": planned["comment"] or ""})
        return self.read(planned) or planned

    def delete(self, state: Values) -> None:
        # What is in a pool may belong to others: it is let go, as the released provider does.
        current = self.read(state)
        machines = ",".join(str(member["vm_id"]) for member in (current or {}).get("members", ()) if member["vm_id"])
        if machines:
            self._api().put("/pools", {"poolid": state["id"], "vms": machines, "delete": 1})
        self._api().delete("/pools", poolid=state["id"])

    def adopt(self, identifier: str) -> Values:
        return {"id": identifier, "pool_id": identifier, "comment": None, "members": None}


class PoolMembership(ClusterResource):
    schema = schema.POOL_MEMBERSHIP

    def validate(self, config: Values) -> list[Problem]:
        if (config["vm_id"] is None) == (config["storage_id"] is None):
            return [Problem("A member of a pool is either a VM or a storage: set vm_id or storage_id.")]
        return []

    def create(self, planned: Values, config: Values) -> Values:
        kind = "vm" if planned["vm_id"] else "storage"
        self._api().put("/pools", self._form(planned) | {"allow-move": 1})
        return planned | {"type": kind, "id": f"{planned['pool_id']}/{kind}/{planned['vm_id'] or planned['storage_id']}"}

    def read(self, state: Values) -> Values | None:
        found = self._found("/pools", poolid=state["pool_id"])
        members = found[0].get("members", ()) if found else ()
        wanted = ("vmid", state["vm_id"]) if state["vm_id"] else ("storage", state["storage_id"])
        return state if any(member.get(wanted[0]) == wanted[1] for member in members) else None

    def delete(self, state: Values) -> None:
        self._api().put("/pools", self._form(state) | {"delete": 1})

    def _form(self, values: Values) -> Values:
        member = {"vms": values["vm_id"]} if values["vm_id"] else {"storage": values["storage_id"]}
        return {"poolid": values["pool_id"]} | member


def _commented(config: Values) -> list[Problem]:
    if isinstance(comment := config["comment"], str) and comment != (comment.strip() or None):
        return [Problem("Invalid Attribute Value", "A comment has a character or more, and no blank around it.", path=("comment",))]
    return []


class HaResource(ClusterResource):
    schema = schema.HA_RESOURCE

    def validate(self, config: Values) -> list[Problem]:
        return _commented(config)

    def create(self, planned: Values, config: Values) -> Values:
        kind = str(planned["resource_id"]).partition(":")[0]
        self._api().post("/cluster/ha/resources", sid=planned["resource_id"], type=kind, **self._form(planned))
        return self.read(planning.without_unknowns(planned) | {"id": planned["resource_id"]}) or planned

    def read(self, state: Values) -> Values | None:
        found = self._found(f"/cluster/ha/resources/{quote(state['id'], safe='')}")
        if found is None:
            return None
        new = state | {"resource_id": found["sid"], "type": found["type"], "state": found.get("state", "started")}
        for name in ("comment", "group", "max_relocate", "max_restart"):
            new[name] = found.get(name) if state[name] is not None else None
        if state["failback"] is not None:
            new["failback"] = bool(found.get("failback", 1))
        return new

    def update(self, prior: Values, planned: Values, config: Values) -> Values:
        form = self._form(planned)
        gone = [name for name in self._form(prior) if name not in form]
        form |= {"delete": ",".join(gone)} if gone else {}
        self._api().put(f"/cluster/ha/resources/{quote(prior['id'], safe='')}", form)
        return self.read(planned) or planned

    def delete(self, state: Values) -> None:
        self._api().delete(f"/cluster/ha/resources/{quote(state['id'], safe='')}")

    def adopt(self, identifier: str) -> Values:
        nothing: Values = planning.without_unknowns(planning.plan(self.schema, {}, None))
        return nothing | {"id": identifier, "resource_id": identifier}

    def _form(self, values: Values) -> Values:
        form: Values = {"state": values["state"]}
        form |= {name: values[name] for name in ("comment", "group", "max_relocate", "max_restart") if values[name] is not None}
        form |= {"failback": devices.flag(values["failback"])} if values["failback"] is not None else {}
        return form


class HaGroup(ClusterResource):
    """Of Proxmox VE 8. On 9 the cluster refuses it."""

    schema = schema.HA_GROUP

    def validate(self, config: Values) -> list[Problem]:
        return _commented(config)

    def create(self, planned: Values, config: Values) -> Values:
        self._api().post("/cluster/ha/groups", group=planned["group"], type="group", **self._form(planned))
        return self.read(planning.without_unknowns(planned) | {"id": planned["group"]}) or planned

    def read(self, state: Values) -> Values | None:
        found = self._found(f"/cluster/ha/groups/{quote(state['id'], safe='')}")
        if found is None:
            return None
        return state | {
            "group": found["group"],
            "comment": found.get("comment") or None,
            "no_failback": bool(found.get("nofailback", 0)),
            "restricted": bool(found.get("restricted", 0)),
            "nodes": _priorities(found["nodes"]),
        }

    def update(self, prior: Values, planned: Values, config: Values) -> Values:
        gone = {"delete": "comment"} if prior["comment"] is not None and planned["comment"] is None else {}
        self._api().put(f"/cluster/ha/groups/{quote(prior['id'], safe='')}", self._form(planned) | gone)
        return self.read(planned) or planned

    def delete(self, state: Values) -> None:
        self._api().delete(f"/cluster/ha/groups/{quote(state['id'], safe='')}")

    def adopt(self, identifier: str) -> Values:
        nothing: Values = planning.without_unknowns(planning.plan(self.schema, {}, None))
        return nothing | {"id": identifier, "group": identifier}

    def _form(self, values: Values) -> Values:
        form: Values = {"nodes": _spelled(values["nodes"])}
        form |= {"nofailback": devices.flag(values["no_failback"]), "restricted": devices.flag(values["restricted"])}
        return form | ({"comment": values["comment"]} if values["comment"] is not None else {})


def _priorities(nodes: object) -> Values:
    """By node; null where none is said."""
    said = (part.partition(":") for part in str(nodes).split(",") if part)
    return {name: int(priority) if priority else None for name, _, priority in said}


def _spelled(nodes: Values) -> str:
    return ",".join(name if priority is None else f"{name}:{priority}" for name, priority in sorted(nodes.items()))


class HaRule(ClusterResource):
    schema = schema.HA_RULE

    def validate(self, config: Values) -> list[Problem]:
        return _commented(config)

    def create(self, planned: Values, config: Values) -> Values:
        self._api().post("/cluster/ha/rules", rule=planned["rule"], **self._form(planned))
        return planned | {"id": planned["rule"]}

    def read(self, state: Values) -> Values | None:
        found = self._found(f"/cluster/ha/rules/{quote(state['id'], safe='')}")
        if found is None:
            return None
        return state | {
            "rule": found["rule"],
            "type": found["type"],
            "affinity": found.get("affinity"),
            "comment": found.get("comment") or None,
            "disable": bool(found.get("disable", 0)),
            "strict": bool(found.get("strict", 0)),
            "nodes": _priorities(found["nodes"]) if found.get("nodes") else None,
            "resources": [each for each in str(found["resources"]).split(",") if each],
        }

    def update(self, prior: Values, planned: Values, config: Values) -> Values:
        form = self._form(planned)
        gone = [name for name in self._form(prior) if name not in form]
        form |= {"delete": ",".join(gone)} if gone else {}
        self._api().put(f"/cluster/ha/rules/{quote(prior['id'], safe='')}", form)
        return planned

    def delete(self, state: Values) -> None:
        self._api().delete(f"/cluster/ha/rules/{quote(state['id'], safe='')}")

    def adopt(self, identifier: str) -> Values:
        nothing: Values = planning.without_unknowns(planning.plan(self.schema, {}, None))
        return nothing | {"id": identifier, "rule": identifier}

    def _form(self, values: Values) -> Values:
        form: Values = {"type": values["type"], "resources": ",".join(sorted(values["resources"]))}
        form["disable"] = devices.flag(values["disable"])
        form |= {name: values[name] for name in ("affinity", "comment") if values[name] is not None}
        if values["nodes"] is not None:
            form["nodes"] = _spelled(values["nodes"])
            form["strict"] = devices.flag(values["strict"])
        return form
