"""What is stored has the shape that it says. A kind whose fields have changed is in a new shape, or its older values are not read.

`kinds.json` is what each kind looked like when its shape was settled. After a change that needs no new shape (a field with a default), or
with one, write it anew: `python -m tests.stored.test_kinds`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from tools.ledger.migrating import REVISION
from tools.values import shapes
from tools.values.conversation import Conversation
from tools.values.made_from import MadeFrom
from tools.values.manifest import Manifest
from tools.values.plan import Approval, Plan
from tools.values.review import Review
from tools.values.run import Progress, Receipt, StepRecord
from tools.values.site import Reserved

KINDS: dict[str, Any] = {
    "conversation": Conversation,
    **{shapes.kind_of(one): one for one in (Plan, Manifest, Review, Approval, Reserved, Receipt, StepRecord, Progress, MadeFrom)},
}
FILE = Path(__file__).with_name("kinds.json")


def fields_of(kind: Any) -> dict[str, dict[str, str]]:
    """Model → field → its type, and its default where it has one."""
    schema = TypeAdapter(kind).json_schema(mode="validation")
    models = {**schema.get("$defs", {}), "": schema}
    return {
        name: {
            field: json.dumps({key: value for key, value in said.items() if key not in ("title", "description")}, sort_keys=True)
            for field, said in sorted(model.get("properties", {}).items())
        }
        for name, model in sorted(models.items())
        if "properties" in model
    }


def settled() -> dict[str, Any]:
    return {
        "revision": REVISION,
        "kinds": {name: {"shape": shapes.shape_of(name), "models": fields_of(kind)} for name, kind in KINDS.items()},
    }


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_kind_whose_fields_have_changed_has_a_new_shape(name: str) -> None:
    was, now = json.loads(FILE.read_text())["kinds"][name], settled()["kinds"][name]
    if now["shape"] > was["shape"]:
        return
    for model, fields in was["models"].items():
        for field, said in fields.items():
            assert now["models"].get(model, {}).get(field) == said, f"{model or name}.{field} has changed: it needs a new shape"
        added = now["models"][model].keys() - fields.keys()
        required = [one for one in added if "default" not in json.loads(now["models"][model][one])]
        assert not required, f"{required} of {model or name} have no default: they need a new shape"


def test_a_new_shape_comes_with_a_new_revision() -> None:
    was, now = json.loads(FILE.read_text()), settled()
    grown = [name for name, kind in now["kinds"].items() if kind["shape"] != was["kinds"].get(name, kind)["shape"]]
    assert not grown or now["revision"] > was["revision"], f"{grown}: an older Berth would not see that it is too old"


if __name__ == "__main__":
    FILE.write_text(json.dumps(settled(), indent=1) + "\n")
