"""A browser without a picture: it says over the wire what viser's page says, and listens to the answers."""

from __future__ import annotations

import socket
import threading
from typing import Any

import msgspec
import viser
import zstandard
from viser import _messages as messages
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect


class Wire:
    """A connection to a studio.

    Args:
        address: of the studio.
        origin: of the page that opens it; the studio's own if not given.
        name: by which the studio's host is called, if not by its own.

    Attributes:
        heard: messages from the studio.
    """

    def __init__(self, address: str, *, origin: str | None = None, name: str | None = None):
        self.heard: list[dict[str, Any]] = []
        host, _, port = address.removeprefix("http://").rpartition(":")
        self._socket: ClientConnection = connect(
            f"ws://{name or host}:{port}",
            sock=socket.create_connection((host, int(port))),
            origin=origin or f"http://{name or host}:{port}",
            subprotocols=[f"viser-v{viser.__version__}"],
            max_size=None,
            open_timeout=120,
            ping_timeout=None,
        )
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()
        camera = messages.ViewerCameraMessage(
            (1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 4.0), 1.0, 0.1, 100.0, 500, 700, (0.0, 1.0, 0.0), (0.0, 1.0, 0.0)
        )
        self.send(camera)

    def send(self, message: messages.Message) -> None:
        self._socket.send(msgspec.msgpack.encode(message.as_serializable_dict()))

    def close(self) -> None:
        self._socket.close()
        self._listening.join(10)

    @property
    def is_open(self) -> bool:
        return self._listening.is_alive()

    @property
    def kinds(self) -> set[str]:
        """Names of the messages that were heard."""
        return {message["type"] for message in self.heard}

    def _listen(self) -> None:
        try:
            for raw in self._socket:
                size = int.from_bytes(raw[8:16], "little")
                self.heard += msgspec.msgpack.decode(zstandard.decompress(raw[16 : 16 + size]))["messages"]
        except ConnectionClosed:
            pass
