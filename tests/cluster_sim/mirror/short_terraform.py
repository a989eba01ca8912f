"""What Terraform says to a provider, said without Terraform: the same messages, in this process, in milliseconds.

It knows of Terraform only the order of calls and that a second plan must find nothing to do. Real Terraform drives the same
provider in the tests of whole lives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tf.gen import tfplugin_pb2 as pb

from cluster_sim.mirror.plugin import Servicer
from cluster_sim.mirror.provider import Provider, empty
from cluster_sim.mirror.schema import Attribute, Block, Nested
from cluster_sim.mirror.values import UNKNOWN, Dynamic, dynamic, has_unknown, pack, unpack

Values = dict[str, Any]


class Told(Exception):
    """An error as the operator reads it, with what Terraform would keep in its state."""

    def __init__(self, diagnostics: Any, state: Values | None = None) -> None:
        super().__init__("\n".join(f"{each.summary}\n{each.detail}" for each in diagnostics))
        self.state = state


@dataclass
class Planned:
    values: Values
    replaces: list[str]


class ShortTerraform:
    def __init__(self, provider: Provider, config: Values) -> None:
        self.provider, self._servicer = provider, Servicer(provider)
        self.warnings: list[str] = []
        request = pb.ConfigureProvider.Request(config=_written(filled(provider.schema, config), provider.schema))
        self._check(self._servicer.ConfigureProvider(request, None))

    def validate(self, kind: str, config: Values) -> None:
        schema = self._schema(kind)
        request = pb.ValidateResourceConfig.Request(type_name=kind, config=_written(filled(schema, config), schema))
        self._check(self._servicer.ValidateResourceConfig(request, None))

    def plan(self, kind: str, config: Values, state: Values | None = None) -> Planned:
        schema = self._schema(kind)
        request = pb.PlanResourceChange.Request(
            type_name=kind, config=_written(filled(schema, config), schema), prior_state=_written(state, schema)
        )
        answer = self._servicer.PlanResourceChange(request, None)
        self._check(answer)
        return Planned(
            unpack(answer.planned_state.msgpack, schema.object_type),
            [".".join(str(s.attribute_name or s.element_key_int) for s in path.steps) for path in answer.requires_replace],
        )

    def apply(self, kind: str, config: Values, state: Values | None = None) -> Values:
        """Plans, applies, and returns the state."""
        self.validate(kind, config)
        schema, planned = self._schema(kind), self.plan(kind, config, state)
        assert not planned.replaces, "Terraform would make it anew"
        request = pb.ApplyResourceChange.Request(
            type_name=kind,
            prior_state=_written(state, schema),
            planned_state=_written(planned.values, schema),
            config=_written(filled(schema, config), schema),
        )
        answer = self._servicer.ApplyResourceChange(request, None)
        new: Values = unpack(answer.new_state.msgpack, schema.object_type)
        self._check(answer, new)
        assert not has_unknown(new), "a state holds no unknown values"
        if not answer.legacy_type_system:
            _assert_as_planned(planned.values, new)
        return new

    def read(self, kind: str, state: Values) -> Values | None:
        schema = self._schema(kind)
        answer = self._servicer.ReadResource(pb.ReadResource.Request(type_name=kind, current_state=_written(state, schema)), None)
        self._check(answer)
        found: Values | None = unpack(answer.new_state.msgpack, schema.object_type)
        return found

    def changes(self, kind: str, config: Values, state: Values) -> set[str]:
        """The attributes that `terraform plan` would show as changed, after its refresh."""
        seen = self.read(kind, state)
        assert seen is not None, "it has vanished"
        planned = self.plan(kind, config, seen).values
        return {name for name in planned if planned[name] != seen[name]}

    def destroy(self, kind: str, state: Values) -> None:
        schema = self._schema(kind)
        request = pb.ApplyResourceChange.Request(
            type_name=kind,
            prior_state=_written(state, schema),
            planned_state=_written(None, schema),
            config=_written(None, schema),
        )
        answer = self._servicer.ApplyResourceChange(request, None)
        self._check(answer, unpack(answer.new_state.msgpack, schema.object_type))

    def adopt(self, kind: str, identifier: str) -> Values:
        """`terraform import`: what the provider makes of an identifier, then a look."""
        answer = self._servicer.ImportResourceState(pb.ImportResourceState.Request(type_name=kind, id=identifier), None)
        self._check(answer)
        state = unpack(answer.imported_resources[0].state.msgpack, self._schema(kind).object_type)
        seen = self.read(kind, state)
        assert seen is not None
        return seen

    def _schema(self, kind: str) -> Block:
        return self.provider.resources[kind].schema

    def _check(self, answer: Any, state: Values | None = None) -> None:
        errors = [each for each in answer.diagnostics if each.severity == pb.Diagnostic.ERROR]
        self.warnings += [each.summary for each in answer.diagnostics if each.severity == pb.Diagnostic.WARNING]
        if errors:
            raise Told(errors, state)


def filled(block: Block, config: Values) -> Values:
    """A configuration as Terraform sends it: every member is there, and what was left out is null."""
    unknown_names = set(config) - set(block.members)
    assert not unknown_names, f"no such members: {unknown_names}"
    full = empty(block) | config
    for name, member in block.members.items():
        if isinstance(member, Block) and isinstance(full[name], list):
            full[name] = [filled(member, item) for item in full[name]]
        elif isinstance(member, Nested) and full[name] is not None:
            inner = Block(member.members)
            full[name] = [filled(inner, each) for each in full[name]] if member.nesting == "list" else filled(inner, full[name])
        elif isinstance(member, Attribute) and member.type == "dynamic" and full[name] is not None:
            full[name] = full[name] if isinstance(full[name], Dynamic) else dynamic(full[name])
    return full


def _assert_as_planned(planned: Any, new: Any, where: str = "") -> None:
    """Terraform's own check: what was planned as known must come out as planned."""
    if isinstance(planned, dict) and isinstance(new, dict):
        for name in planned:
            _assert_as_planned(planned[name], new[name], f"{where}.{name}")
    elif isinstance(planned, list) and isinstance(new, list) and len(planned) == len(new):
        for index, (one, other) in enumerate(zip(planned, new, strict=True)):
            _assert_as_planned(one, other, f"{where}[{index}]")
    elif planned is not UNKNOWN and not has_unknown(planned):
        assert planned == new, f"Provider produced inconsistent result after apply: {where}"


def _written(values: Values | None, block: Block) -> Any:
    return pb.DynamicValue(msgpack=pack(values, block.object_type))
