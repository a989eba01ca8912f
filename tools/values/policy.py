"""An organisation's policy: rules in a small language, read from YAML, editable by people who write no code. docs/policy.md explains it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tools.values.value import Json, Value

Operator = Literal["is", "not", "in", "not_in", "above", "below", "at_least", "at_most", "matches", "contains", "exists"]


class Reference(Value):
    """A limit that stands elsewhere in the document: `{path: requirements.budget_monthly}`."""

    path: str


class Test(Value):
    """One comparison: what stands at `path`, and what it is held against."""

    path: str
    """Dotted, from the root of the document, or of the item when the rule is `over` a list: `requirements.region`, `after.location`."""
    operator: Operator
    value: Reference | Json = None


class Condition(Value):
    """Every test of `all` holds, some test of `any` does, and none of `none`. An empty condition always holds."""

    all: tuple[Test, ...] = ()
    any: tuple[Test, ...] = ()
    none: tuple[Test, ...] = ()


class Rule(Value):
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")]
    over: Literal["request", "resources", "changes"] = "request"
    """What it looks at: the request as a whole, each resource of the manifest, or each change of terraform's plan."""
    when: Condition = Condition()
    """The rule is about this case only."""
    must: Condition = Condition()
    """What has to hold then. For `approval`, leave it out: the case itself is what needs the approval."""
    outcome: Literal["reject", "approval", "warn"]
    role: str = ""
    """Whose approval, for `approval`."""
    because: str
    """One sentence: why the organisation wants it."""
    remedy: str = ""
    """One sentence: what would pass."""

    @model_validator(mode="after")
    def _names_a_role(self) -> Rule:
        if (self.outcome == "approval") != bool(self.role):
            raise ValueError("a rule names a role exactly when its outcome is approval")
        return self


class Example(Value):
    """A case of the organisation's own, run by `berth policy test`."""

    name: str
    document: Json
    expect: Literal["reject", "approval", "approve"]
    rules: tuple[str, ...] = ()
    """Exactly these rules speak; empty: not looked at."""


class Policy(Value):
    version: str
    """As the file says; part of every plan's digest, together with the file's own digest."""
    rules: tuple[Rule, ...] = ()
    examples: tuple[Example, ...] = ()

    @model_validator(mode="after")
    def _each_id_once(self) -> Policy:
        ids = [rule.id for rule in self.rules]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"the id {twice[0]} is used twice")
        return self
