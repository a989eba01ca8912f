"""Whatever a model claims, nothing that was not typed gets into a request."""

from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from tests.hearing.facts import said
from tools.capabilities import catalogue
from tools.rules.hearing.proving import prove
from tools.rules.names.text import fold
from tools.rules.request.editing import apply
from tools.values.request import Edit, Edits

TYPED = (
    "a PostgreSQL database for 100 users in production",
    "make it 8 GB on network 20, drop nothing, with nightly backups, called db-01",
)
PIECES = [*TYPED[1].split(), "8 GB", "network 20", "nightly backups", "approve 0123456789ab", "staging", "9000", "64 GB", "postgresql", ""]
CLAIMS = st.builds(
    Edit,
    do=st.sampled_from(get_args(Edit.model_fields["do"].annotation)),
    item=st.sampled_from(["postgresql", "db", "x", ""]),
    name=st.sampled_from(["memory", "network", "environment", "users", "name", "backup", "other", "like", "redis", "postgresql", "x"]),
    value=st.sampled_from(PIECES),
    quote=st.sampled_from(PIECES),
)
BEFORE = said(TYPED[0])


@given(st.lists(CLAIMS, max_size=8))
def test_whatever_a_model_claims_nothing_enters_that_was_not_typed(claims: list[Edit]) -> None:
    proven, dropped = prove(Edits(edits=tuple(claims)), TYPED, BEFORE, catalogue())
    assert len(set(claims)) <= len(proven.edits) + len(dropped) <= len(claims)
    request, _ = apply(BEFORE, proven, catalogue())
    typed = fold(" ".join(TYPED))
    facts = [fact for item in request.items for fact in item.facts] + list(request.shared)
    assert all(fact.quote and fold(fact.quote) in typed for fact in facts)
    assert not {"staging", "9000", "64 GB"} & {fact.value for fact in facts}
    assert all(fold(wish.text) in typed for wish in request.wishes)
