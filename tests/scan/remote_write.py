"""Writes samples into a Prometheus through its remote-write receiver, so that a test has a past to look at.

The protocol is Prometheus remote write 1.0 (protobuf in Snappy); only what is needed of both is spelled out here, by hand.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping

import requests

Samples = Iterable[tuple[int, float]]
"""(seconds since 1970, value), oldest first."""
SNAPPY_LITERAL_BYTES_MAX = 65536


def write(url: str, series: Mapping[str, Mapping[str, str]], samples: Mapping[str, Samples]) -> None:
    """Hour by hour: a Prometheus takes nothing much older than the newest it has."""
    hours: dict[int, dict[str, list[tuple[int, float]]]] = {}
    for key, points in samples.items():
        for time, value in points:
            hours.setdefault(time // 3600, {}).setdefault(key, []).append((time, value))
    headers = {
        "Content-Encoding": "snappy",
        "Content-Type": "application/x-protobuf",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
    }
    with requests.Session() as session:
        for _, hour in sorted(hours.items()):
            message = b"".join(_field(1, _time_series(series[key], points)) for key, points in hour.items())
            answer = session.post(f"{url}/api/v1/write", data=_snappy(message), headers=headers, timeout=10)
            assert answer.ok, answer.text


def _time_series(labels: Mapping[str, str], points: Samples) -> bytes:
    names = b"".join(_field(1, _field(1, name.encode()) + _field(2, value.encode())) for name, value in sorted(labels.items()))
    return names + b"".join(_field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(time * 1000)) for time, value in points)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _snappy(content: bytes) -> bytes:
    """Uncompressed, in Snappy's block format: a length and literals."""
    return _varint(len(content)) + b"".join(_literals(content))


def _literals(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), SNAPPY_LITERAL_BYTES_MAX):
        piece = content[start : start + SNAPPY_LITERAL_BYTES_MAX]
        yield bytes([61 << 2]) + struct.pack("<H", len(piece) - 1) + piece
