"""What any program between a client and a server costs at the least: bytes are copied from one socket to the other, unread.

Started with the port of the server; says its own. One connection, until its stdin ends.
"""

from __future__ import annotations

import selectors
import socket
import sys

PIECE = 65536


def main(port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        client, _ = listening.accept()
    server = socket.create_connection(("127.0.0.1", port))
    for each in (client, server):
        each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with client, server, selectors.DefaultSelector() as selector:
        selector.register(client, selectors.EVENT_READ, server)
        selector.register(server, selectors.EVENT_READ, client)
        copy(selector)


def copy(selector: selectors.BaseSelector) -> None:
    while True:
        for key, _ in selector.select():
            source: socket.socket = key.fileobj  # type: ignore[assignment]  # sockets were registered
            data = source.recv(PIECE)
            if not data:
                return
            key.data.sendall(data)


if __name__ == "__main__":
    main(int(sys.argv[1]))
