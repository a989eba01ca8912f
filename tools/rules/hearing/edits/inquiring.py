"""Whether a message asks something and orders nothing: `what would 8 GB cost?`, `can you give me the price of three?`. What a question is
about, and what answers it, is told in tools.rules.words.answering."""

from __future__ import annotations

from collections.abc import Sequence

from tools.rules.hearing.assignment.cells import Span
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.seen import ASKED, FIGURES


def is_question(scene: Scene, spans: Sequence[Span]) -> tuple[bool, str]:
    """(whether it asks and orders nothing: every sentence of it begins as a question does, or ends as one, and none is a polite request;
    the question among its orders)."""
    asked, orders = list[tuple[int, int]](), False
    for first, last, _ in spans:
        i = first
        while i < last:
            end = min(max(scene.sentence(i)[1], i + 1), last)
            end = _order_before_question(scene, i, end) or end
            if end - i > 1:
                begin = i
                while begin < min(i + 3, end) and (
                    scene.does(begin, "join") or scene.is_text(begin, ",") or scene.is_listed(begin, "opening")
                ):
                    begin += 1
                bare = not scene.has(i, end, *FIGURES, "name") and not scene.any_does(i, end, "article", "owned", "them", "double", "half")
                able = scene.is_text(end, "?") and bare and not scene.has(end, last, *FIGURES)  # `can you build Windows machines?`
                counts = scene.kind(begin) in ("number", "size") and not scene.any_does(begin, end, "ask")
                states = any(
                    scene.is_text(m.last, ":") or scene.is_listed(m.last, "being") for m in scene.marks_in(begin, begin + 4, "ask_for")
                )
                question = (scene.does(begin, "ask") and not states) or (scene.is_text(end, "?") and not counts)  # `what I need: two VMs`
                clauses = (k + 1 for k in range(i, end) if scene.is_text(k, ","))  # `we move to k3s, can you set it up?`
                polite = scene.any_does(i, min(i + 4, end), "polite") or any(scene.does(k, "polite") for k in clauses)
                polite = polite and not (scene.is_listed(begin, "interrogative") or _wants_to_know(scene, i, end))
                question = question or _wants_to_know(scene, i, end)
                if able or (question and not polite):
                    asked.append((i, end))
                else:
                    orders = True
            i = end + 1
    besides = [(first, last) for first, last in asked if orders and scene.is_text(last, "?") and scene.does(first, "ask")]
    besides = [(first, last) for first, last in besides if not scene.does(first + 1, "bound")]  # `what about 16 GB? do it` orders that
    for first, last in besides:
        scene.leave(first, last, ASKED)  # a question among orders asks for nothing
    return bool(asked) and not orders, scene.quote(besides[0][0], besides[0][1]) if besides else ""


def _order_before_question(scene: Scene, first: int, last: int) -> int:
    """`give it 16 GB - how much more is that?`: where the question begins that an order has behind it; 0 where it has none. What begins
    with a condition (`with 8 GB, …`) or asks what would be orders nothing."""
    if not scene.is_text(last, "?"):
        return 0
    cut = next((i for i in range(first + 1, last) if scene.is_text(i, ",", "-", "–", "(") and scene.does(i + 1, "ask")), 0)
    begin = scene.skip(first, last, "join", texts=(",",))
    supposes = scene.does(begin, "ask", "with", "for", "lean", "polite") or scene.is_listed(begin, "conditions", "opening")
    if not cut or supposes or any(scene.is_listed(i, "supposing") for i in range(cut, last)):
        return 0
    return cut if scene.has(begin, cut, *FIGURES) and not scene.has(cut, last, *FIGURES) else 0


def _wants_to_know(scene: Scene, first: int, last: int) -> bool:
    """`can you give me the price for 3 web servers`, `I need a quote`: what is asked for is an answer."""
    for i in range(first, last):
        if scene.does(i, "ask_for", "ask"):
            end = scene.skip(scene.at(i).last, last, "article", "owned", texts=("me", "us", "rough"))
            if scene.is_listed(end, "answers"):
                return True
    return False
