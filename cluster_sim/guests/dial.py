"""The proxy command: connects standard input and output with a guest. `python -S -E dial.py WHERE HOST PORT`.

WHERE is a pod's control socket, or a folder whose `ports.json` names the loopback port of each emulated guest's address.
It runs at the start of every SSH connection, so it imports almost nothing.
"""

import os
import select
import socket
import sys


def main() -> None:
    where, host, port = sys.argv[1:4]
    far = from_pod(where, host, port) if where.endswith(".sock") else from_loopback(where, host, port)
    readable = {0: far.fileno(), far.fileno(): 1}
    while readable:
        for source in select.select(list(readable), [], [])[0]:
            target = readable[source]
            try:
                data = os.read(source, 65536)
            except ConnectionError:
                data = b""
            if data:
                write(target, data)
                continue
            del readable[source]
            if target == 1:
                return
            far.shutdown(socket.SHUT_WR)


def write(target: int, data: bytes) -> None:
    while data:
        data = data[os.write(target, data) :]


def from_pod(where: str, host: str, port: str) -> socket.socket:
    """The pod makes the connection in its own network and hands it over: no process stands between afterwards."""
    folder, _, name = where.rpartition("/")
    if folder:
        os.chdir(folder)  # a socket's address holds about a hundred bytes
    control = socket.socket(socket.AF_UNIX)
    try:
        control.connect(name)
    except OSError as problem:
        sys.exit(f"The simulated cluster's guests cannot be reached at {where}: {problem.strerror}. Is the simulator running?")
    control.sendall(b'{"op":"dial","host":"%s","port":%d}\n' % (host.encode(), int(port)))
    answer, handed, _, _ = socket.recv_fds(control, 4096, 1)
    if not handed:
        sys.exit(answer.decode("utf-8", "replace").strip() or "The simulated cluster closed the connection.")
    return socket.socket(fileno=handed[0])


def from_loopback(where: str, host: str, port: str) -> socket.socket:
    import json

    try:
        with open(f"{where}/ports.json") as file:
            ports = json.load(file)
    except OSError as problem:
        sys.exit(f"The simulated cluster's guests are not listed in {where}: {problem.strerror}. Is the simulator running?")
    if port != "22" or host not in ports:
        sys.exit(f"No emulated guest listens on {host} port {port}.")
    return socket.create_connection(("127.0.0.1", ports[host]), timeout=5)


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, KeyboardInterrupt):
        sys.exit(1)
