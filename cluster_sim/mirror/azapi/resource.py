"""azapi's resources: `azapi_resource`, `azapi_update_resource` and `azapi_resource_action`.

Their calls are those recorded from the released provider. What it holds against Azure's published schemas is in `validating`.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from cluster_sim.mirror import planning
from cluster_sim.mirror.azapi import bodies, schema, validating
from cluster_sim.mirror.azapi.arm import Arm, ArmProblem, Retry
from cluster_sim.mirror.planning import Path
from cluster_sim.mirror.provider import Problem, Resource
from cluster_sim.mirror.schema import Values
from cluster_sim.mirror.values import UNKNOWN, Dynamic, dynamic, has_unknown

_NOT_SENT = frozenset(
    {
        "id",
        "output",
        "retry",
        "timeouts",
        "locks",
        "response_export_values",
        "schema_validation_enabled",
        "ignore_casing",
        "ignore_missing_property",
        "ignore_null_property",
        "ignore_other_items_in_list",
        "list_unique_id_property",
        "read_headers",
        "read_query_parameters",
        "delete_headers",
        "delete_query_parameters",
        "create_headers",
        "create_query_parameters",
        "update_headers",
        "update_query_parameters",
        "sensitive_output",
        "exist",
    }
)
"""A change in one of these alone is no reason to write to Azure."""

_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


@contextmanager
def locked(names: list[str] | None) -> Iterator[None]:
    """Holds the operator's `locks`, always in the same order."""
    with ExitStack() as held:
        for name in sorted(set(names or ())):
            held.enter_context(_locks[name])
        yield


def retry_of(values: Values) -> Retry:
    retry = values.get("retry")
    if not retry:
        return Retry()
    return Retry(tuple(retry["error_message_regex"]), float(retry["interval_seconds"] or 10), float(retry["max_interval_seconds"] or 180))


def as_problem(problem: ArmProblem, doing: str, values: Values) -> Problem:
    """An error of Azure's, in the words of the released provider."""
    what = f'{doing} Resource: (ResourceId "{values["id"]}" / Api Version "{bodies.split_type(values["type"])[1]}")'
    return Problem(f"Failed to {_VERBS[doing]} resource", f"{what}: {problem.detail}")


_VERBS = {
    "creating/updating": "create/update",
    "reading": "retrieve",
    "deleting": "delete",
}


@dataclass(frozen=True)
class Behaviour:
    """What the provider block settles for every resource."""

    default_output: bool = True


class AzureResource(Resource):
    """What the three have in common."""

    version = 2

    def __init__(self, arm: Callable[[], Arm], settings: Callable[[], Behaviour] = Behaviour) -> None:
        self._arm, self._settings = arm, settings

    def validate(self, config: Values) -> list[Problem]:
        try:
            if isinstance(config["type"], str):
                bodies.split_type(config["type"])
            if isinstance(config["response_export_values"], Dynamic) and not has_unknown(config["response_export_values"]):
                bodies.exported({"any": None}, config["response_export_values"])
        except Problem as problem:
            return [problem]
        return []

    def _output(self, values: Values, answer: Any) -> Any:
        """What is picked of an answer; where nothing is, all that only Azure writes, unless the provider block says otherwise."""
        if values["response_export_values"] is None and self._settings().default_output and isinstance(answer, dict):
            return dynamic(validating.read_only(*bodies.split_type(values["type"]), answer))
        return dynamic(bodies.exported(answer, values["response_export_values"]))

    def _changed(self, planned: Values, prior: Values) -> bool:
        return any(planned[name] != prior[name] for name in planned if name not in _NOT_SENT)

    def _get(self, values: Values) -> Any:
        version = bodies.split_type(values["type"])[1]
        return self._arm().call(
            "GET",
            values["id"],
            version,
            query=values.get("read_query_parameters"),
            headers=values.get("read_headers"),
            retry=retry_of(values),
        )

    def _found(self, values: Values) -> Any:
        """The resource, or None when there is none."""
        try:
            return self._get(values)
        except ArmProblem as problem:
            if problem.status == 404:
                return None
            raise as_problem(problem, "reading", values) from problem

    def _seen(self, state: Values, answer: Any) -> Any:
        """The configured body as Azure has it."""
        body = state["body"]
        if not isinstance(body, Dynamic):
            return body
        now = bodies.seen_through(
            body.value,
            answer,
            ignore_casing=bool(state["ignore_casing"]),
            ignore_missing=state["ignore_missing_property"] is not False,
            ids=state["list_unique_id_property"] or {},
        )
        return body if now == body.value else dynamic(now)


def _forget_principals(planned: Values, prior: Values) -> None:
    """Another kind of identity is another principal."""
    for block, before in zip(planned["identity"] or [], prior["identity"] or [], strict=False):
        if any(block[name] != before[name] for name in ("type", "identity_ids")):
            block |= {"principal_id": UNKNOWN, "tenant_id": UNKNOWN}


class GenericResource(AzureResource):
    """`azapi_resource`: any resource of Azure's, by its type and body."""

    schema = schema.RESOURCE

    def validate(self, config: Values) -> list[Problem]:
        if found := super().validate(config):
            return found
        if config["schema_validation_enabled"] is False or not isinstance(config["type"], str):
            return []
        kind, version = bodies.split_type(config["type"])
        if fault := validating.version_fault(kind, version):
            return [Problem("Invalid configuration", fault, path=("type",))]
        faults = [] if config["body"] is UNKNOWN else validating.faults(kind, version, self._whole(config))
        if not faults:
            return []
        text = "\n".join(['the argument "body" is invalid:', *faults])
        hint = "You can disable the validation using the feature flag `schema_validation_enabled = false` within the resource block"
        return [Problem("Invalid configuration", f"{text}\n{hint}", path=("body",))]

    def _whole(self, config: Values) -> Any:
        """The body with what is configured beside it."""
        beside = {name: config[name] for name in ("name", "location", "tags") if config[name] is not None}
        if config["identity"]:
            beside |= {"identity": UNKNOWN} if has_unknown(config["identity"]) else bodies.identity_sent(config["identity"])
        body = bodies.plain(config["body"]) or {}
        return bodies.merged(bodies.merged(beside, body), bodies.plain(config["sensitive_body"]) or {})

    def adjust(self, planned: Values, config: Values, prior: Values | None) -> Values:
        planned["body"] = config["body"]
        # These are computed only through defaults of the provider block and of the parent, and a parent may not be made yet.
        open_ = prior is None and config["parent_id"] is UNKNOWN and config["schema_validation_enabled"] is not False
        for name in ("tags", "location"):
            planned[name] = UNKNOWN if config[name] is None and open_ else config[name]
            if config[name] is None and prior is not None:
                planned[name] = prior[name]
        if config["name"] is None:
            raise Problem("The stand-in provider needs a name for every azapi_resource.", "Set name.", path=("name",))
        planned["name"] = config["name"]
        if config["parent_id"] is None:
            kind = bodies.split_type(config["type"])[0] if isinstance(config["type"], str) else ""
            if kind.lower() != bodies.GROUP_TYPE.lower():
                raise Problem(
                    f"parent_id is missing: only a resource group has a parent by itself, and this is {kind}.",
                    path=("parent_id",),
                )
            planned["parent_id"] = f"/subscriptions/{self._arm().account.subscription_id}"
        if prior is not None:
            if bodies.same_location(planned["location"], prior["location"]):
                planned["location"] = prior["location"]
            _forget_principals(planned, prior)
            if self._changed(planned, prior) or planned["response_export_values"] != prior["response_export_values"]:
                planned["output"] = UNKNOWN
        return planned

    def replacements(self, planned: Values, prior: Values) -> list[Path]:
        found: list[Path] = [(name,) for name in ("name", "parent_id", "location") if planned[name] != prior[name]]
        if isinstance(planned["type"], str) and bodies.split_type(planned["type"])[0] != bodies.split_type(prior["type"])[0]:
            found.append(("type",))
        if (
            planned["replace_triggers_external_values"] != prior["replace_triggers_external_values"]
            and prior["replace_triggers_external_values"]
        ):
            found.append(("replace_triggers_external_values",))
        for path in planned["replace_triggers_refs"] or ():
            if bodies.find(bodies.plain(planned["body"]), path) != bodies.find(bodies.plain(prior["body"]), path):
                found.append(("body",))
        return found

    def create(self, planned: Values, config: Values) -> Values:
        kind, _ = bodies.split_type(planned["type"])
        made = planned | {"id": bodies.build_id(planned["parent_id"], kind, planned["name"])}
        if self._found(made) is not None:
            raise Problem(
                "Resource already exists",
                f'A resource with the ID "{made["id"]}" already exists - to be managed via Terraform this resource needs to be '
                "imported "
                'into the State. Please see the resource documentation for "azapi_resource" for more information.',
            )
        try:
            answer = self._put(made, config, "create")
        except Problem as problem:
            # A deployment that failed half-way leaves something: Terraform must remember it.
            if self._found(made) is not None:
                problem.state = planning.without_unknowns(made)
            raise
        return self._settled(made, answer)

    def read(self, state: Values) -> Values | None:
        if bodies.type_of_id(state["id"]) == bodies.GROUP_TYPE and self._found(state) is None:
            return None
        answer = self._found(state)
        if answer is None:
            return None
        new = state | {"body": self._seen(state, answer), "identity": bodies.identity_seen(state["identity"], answer)}
        if state["location"] is not None and not bodies.same_location(state["location"], answer.get("location", state["location"])):
            new["location"] = answer["location"]
        if state["tags"] is not None:
            new["tags"] = answer.get("tags") or {}
        return new | {"output": self._output(state, answer)}

    def update(self, prior: Values, planned: Values, config: Values) -> Values:
        if not self._changed(planned, prior):
            return self._settled(planned, self._get(planned))
        # The released provider looks twice before it writes.
        for _look in range(2):
            self._found(planned)
        return self._settled(planned, self._put(planned, config, "update"))

    def delete(self, state: Values) -> None:
        version = bodies.split_type(state["type"])[1]
        try:
            with locked(state["locks"]):
                self._arm().call(
                    "DELETE",
                    state["id"],
                    version,
                    query=state["delete_query_parameters"],
                    headers=state["delete_headers"],
                    retry=retry_of(state),
                )
        except ArmProblem as problem:
            if problem.status != 404:
                raise as_problem(problem, "deleting", state) from problem

    def adopt(self, identifier: str) -> Values:
        resource_id, _, query = identifier.partition("?")
        _, mark, version = query.partition("api-version=")
        if not mark:
            raise Problem(
                f"An Azure resource is imported by its ID and API version, but this is {identifier!r}.",
                "Write ID?api-version=VERSION, for example /subscriptions/…/resourceGroups/rg?api-version=2024-11-01.",
            )
        parent, name = bodies.split_id(resource_id)
        kind = f"{bodies.type_of_id(resource_id)}@{version}"
        asked: Values = {"type": kind, "name": name, "parent_id": parent}
        state = planning.without_unknowns(planning.plan(self.schema, asked, None)) | {"id": resource_id}
        answer = self._get(state)
        writable = {key: value for key, value in answer.items() if key not in ("id", "name", "type", "location", "tags", "identity")}
        return dict(state | {"location": answer.get("location"), "tags": answer.get("tags"), "body": dynamic(writable)})

    def _put(self, values: Values, config: Values, when: str) -> Any:
        body: dict[str, Any] = bodies.identity_sent(values["identity"])
        body |= {name: values[name] for name in ("location", "tags") if bodies.known(values[name])}
        body = bodies.merged(body, bodies.plain(values["body"]) or {})
        body = bodies.merged(body, bodies.plain(config["sensitive_body"]) or {})
        if values["ignore_null_property"]:
            body = bodies.without_nulls(body)
        try:
            with locked(values["locks"]):
                self._arm().call(
                    "PUT",
                    values["id"],
                    bodies.split_type(values["type"])[1],
                    body,
                    query=values[f"{when}_query_parameters"],
                    headers=values[f"{when}_headers"],
                    retry=retry_of(values),
                )
        except ArmProblem as problem:
            raise as_problem(problem, "creating/updating", values) from problem
        return self._get(values)

    def _settled(self, values: Values, answer: Any) -> Values:
        settled: Values = planning.without_unknowns(values)
        seen = {name: answer.get(name) for name in ("tags", "location") if values[name] is UNKNOWN}
        return settled | seen | {"identity": bodies.identity_seen(values["identity"], answer), "output": self._output(values, answer)}


class PartialResource(AzureResource):
    """`azapi_update_resource`: some properties of a resource that something else owns."""

    schema = schema.UPDATE_RESOURCE

    def adjust(self, planned: Values, config: Values, prior: Values | None) -> Values:
        if config["resource_id"] is None and (config["name"] is None or config["parent_id"] is None):
            raise Problem("Set resource_id, or both name and parent_id.", path=("resource_id",))
        if isinstance(config["resource_id"], str):
            planned["parent_id"], planned["name"] = bodies.split_id(config["resource_id"])
        elif bodies.known(config["name"]) and bodies.known(config["parent_id"]):
            planned["resource_id"] = bodies.build_id(config["parent_id"], bodies.split_type(config["type"])[0], config["name"])
        if prior is not None and self._changed(planned, prior):
            planned["output"] = UNKNOWN
        return planned

    def replacements(self, planned: Values, prior: Values) -> list[Path]:
        return [(name,) for name in ("name", "parent_id", "resource_id") if planned[name] != prior[name]]

    def create(self, planned: Values, config: Values) -> Values:
        kind, _ = bodies.split_type(planned["type"])
        resource_id = planned["resource_id"] or bodies.build_id(planned["parent_id"], kind, planned["name"])
        parent, name = bodies.split_id(resource_id)
        return self._patch(planned | {"id": resource_id, "resource_id": resource_id, "parent_id": parent, "name": name}, config)

    def read(self, state: Values) -> Values | None:
        answer = self._found(state)
        if answer is None:
            return None
        return state | {
            "body": self._seen(state, answer),
            "output": self._output(state, answer),
        }

    def update(self, prior: Values, planned: Values, config: Values) -> Values:
        return self._patch(planned, config)

    def delete(self, state: Values) -> None:
        """Nothing: the resource is not ours to remove, and what it was before is not known."""

    def _patch(self, values: Values, config: Values) -> Values:
        version = bodies.split_type(values["type"])[1]
        try:
            with locked(values["locks"]):
                existing = validating.writable(*bodies.split_type(values["type"]), self._get(values))
                body = bodies.merged(existing, bodies.plain(values["body"]) or {})
                body = bodies.merged(body, bodies.plain(config["sensitive_body"]) or {})
                self._arm().call(
                    "PUT",
                    values["id"],
                    version,
                    body,
                    query=values["update_query_parameters"],
                    headers=values["update_headers"],
                    retry=retry_of(values),
                )
                answer = self._get(values)
        except ArmProblem as problem:
            raise as_problem(problem, "creating/updating", values) from problem
        settled: Values = planning.without_unknowns(values)
        return settled | {"output": self._output(values, answer)}


class Action(AzureResource):
    """`azapi_resource_action`: one request to a resource, made when it is applied or destroyed."""

    schema = schema.RESOURCE_ACTION
    version = 3

    def adjust(self, planned: Values, config: Values, prior: Values | None) -> Values:
        if prior is not None and self._changed(planned, prior):
            planned |= dict.fromkeys(("output", "sensitive_output", "exist"), UNKNOWN)
        return planned

    def replacements(self, planned: Values, prior: Values) -> list[Path]:
        return [(name,) for name in ("type", "resource_id", "action") if planned[name] != prior[name]]

    def create(self, planned: Values, config: Values) -> Values:
        resource_id = planned["resource_id"] + (f"/{planned['action']}" if planned["action"] else "")
        return self._act(planned | {"id": resource_id}, config, "apply")

    def read(self, state: Values) -> Values | None:
        return state

    def update(self, prior: Values, planned: Values, config: Values) -> Values:
        return self._act(planned, config, "apply")

    def delete(self, state: Values) -> None:
        self._act(state, {"sensitive_body": None}, "destroy")

    def _act(self, values: Values, config: Values, when: str) -> Values:
        settled: Values = planning.without_unknowns(values) | {"output": None, "sensitive_output": None, "exist": None}
        if values["when"] != when:
            return settled
        settled |= {"exist": True}
        body, secret = bodies.plain(values["body"]), bodies.plain(config["sensitive_body"])
        body = body if secret is None else bodies.merged(body, secret)
        try:
            with locked(values["locks"]):
                answer = self._arm().call(
                    values["method"],
                    values["id"],
                    bodies.split_type(values["type"])[1],
                    body,
                    query=values["query_parameters"],
                    headers=values["headers"],
                    retry=retry_of(values),
                )
        except ArmProblem as problem:
            if problem.status == 404 and values["ignore_not_found"]:
                return settled | {"exist": False}
            raise Problem("Failed to perform action", f'performing action on "{values["resource_id"]}": {problem.detail}') from problem
        return settled | {
            "output": dynamic(bodies.exported(answer, values["response_export_values"])),
            "sensitive_output": dynamic(bodies.exported(answer, values["sensitive_response_export_values"])),
        }
