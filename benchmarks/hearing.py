"""How long hearing takes: a sentence, messages of 2 kB as people paste them, 300 kB of anything; and routing among 500 capabilities."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date
from types import MappingProxyType, SimpleNamespace
from typing import cast

from benchmarks.bench import Bench
from benchmarks.rows import Row, median

KIB_2 = 2_000
LONG_BYTES = 300_000
TIMES = 5
MESSAGES = 40
HEARING_MS_P95_MAX = 20.0
ROUTING_MS_MAX = 5.0
CAPABILITIES = 500
NUMBERS = tuple(range(1, 200))
FORM = "Hostname: app-{n}\nvCPU: 4\nMemory (GB): 8\nSystem disk: 40 GB\nEnvironment: staging\nVLAN: 20\nPurpose: tests of build {n}\n\n"
MAIL = "Hi all, we need two servers with 4 cores, 16 GB RAM and 100 GB disk each for production, on VLAN 20. Please call them shop-{n} and "
TABLE = "| web-{n} | 2 | 4 | 20 | 21 | production |\n"
PROSE = "A postgres for 200 users in production on network 20, please. Thanks for the help last week. We still have number {n} open. "
KINDS = {
    "form": ("", FORM),
    "mail": ("", MAIL + "cart-{n}.\n> we asked for 2 cores then\n"),
    "table": ("| VM | vCPU | RAM (GB) | Disk (GB) | VLAN | Env |\n|---|---|---|---|---|---|\n", TABLE),
    "prose": ("", PROSE),
}


def hearing(bench: Bench) -> Iterator[Row]:
    from tools.capabilities import catalogue
    from tools.rules.hearing.reading import read
    from tools.values.request import Request

    able, today = catalogue(), date.today()

    def hear(text: str) -> Callable[[], object]:
        return lambda: read(text, Request(), able, (), today)

    sentence = able["postgresql"].EXAMPLES[0]
    long = (sentence + ". ") * (LONG_BYTES // (len(sentence) + 2) + 1)
    many = " ".join(f"{i} cores" for i in range(LONG_BYTES // 12))
    for what, text in (("a sentence", sentence), ("300 kB of it", long[:LONG_BYTES]), ("300 kB of numbers", many[:LONG_BYTES])):
        yield Row(f"hearing {what}", median(_ms(hear(text), TIMES)), "ms")
    for kind, (head, piece) in KINDS.items():
        texts = [(head + "".join(piece.format(n=n + k) for n in NUMBERS))[:KIB_2] for k in range(MESSAGES)]
        took = sorted(min(_ms(hear(text), TIMES)) for text in texts)  # the best of each: of a message, not of the machine
        yield Row(f"hearing 2 kB, {kind}, p95", took[int(len(took) * 0.95)], "ms", limit=HEARING_MS_P95_MAX, note=f"{MESSAGES} messages")
    yield Row(f"routing among {CAPABILITIES} capabilities", routing(), "ms", limit=ROUTING_MS_MAX, note="the dictionary is made once")


def routing() -> float:
    """Milliseconds to find what a sentence names."""
    from tools.capabilities import catalogue
    from tools.rules.hearing.scene import Scene
    from tools.values.wanted import Listed

    names = [f"service_{number}" for number in range(CAPABILITIES - len(catalogue()))]
    more = {
        name: cast(Listed, SimpleNamespace(NAME=name, WORDS=(name.replace("_", " "), f"made up {name[8:]}"), WANTED=())) for name in names
    }
    many = MappingProxyType({**catalogue(), **more})
    text = "We need a made up 77 service and a PostgreSQL database for 100 users behind service 412, in production on network 20."

    def route() -> None:
        assert {"service_77", "postgresql"} <= {name for mark in Scene.of(text, text, many).mentions for name in mark.names("service")}

    return median(_ms(route, MESSAGES))


def _ms(work: Callable[[], object], times: int) -> list[float]:
    """Of the processor: whatever else runs on the machine is not counted."""
    work()  # Once for the caches.
    took = []
    for _ in range(times):
        began = time.process_time()
        work()
        took.append((time.process_time() - began) * 1000)
    return took
