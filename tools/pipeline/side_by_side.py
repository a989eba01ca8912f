"""Does several things at once, up to a bound, each as soon as all that it waits for has succeeded. What is done belongs to the caller."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

AT_ONCE_MAX = 4
"""Parts of one plan or run. Each starts a Terraform or an Ansible of its own."""


def side_by_side(waits: Mapping[str, Collection[str]], work: Callable[[str], bool], skip: Callable[[str], None]) -> None:
    """`waits`: name → the names that must have succeeded before. `work` says whether its thing succeeded; one that did not stops those that
    wait for it, which are skipped, and no other. Whatever `work` raises is raised when all that was begun has come to its end; no more is
    begun then."""
    left, good, bad = dict(waits), set[str](), set[str]()
    going: dict[Future[bool], str] = {}
    with ThreadPoolExecutor(AT_ONCE_MAX, thread_name_prefix="part") as pool:
        try:
            while left or going:
                for name in [one for one in left if good.issuperset(left[one])]:
                    del left[name]
                    going[pool.submit(work, name)] = name
                while lost := [name for name in left if bad.intersection(left[name])]:
                    for name in lost:
                        del left[name]
                        bad.add(name)
                        skip(name)
                assert going or not left, f"{', '.join(left)} wait for one another"
                for ended in wait(going, return_when=FIRST_COMPLETED).done:
                    name = going.pop(ended)
                    (good if ended.result() else bad).add(name)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
