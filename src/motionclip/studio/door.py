"""Who may come in, and with how much: what viser 1.1 leaves open and a page on one's own machine should not.

A web page from elsewhere may open a WebSocket to a loopback address, directly or through a name that it turns into
one (DNS rebinding); the headers of its request tell. viser's share button sends everything through a server of its
authors; it is taken out. viser reads an upload of any size into memory; here its first message says whether it may.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

import viser
from viser import _messages as messages
from viser.infra import ClientId

from motionclip.server.security import host_name, is_loopback


class LocalServer(viser.ViserServer):
    """viser on a loopback address, without the way out to its authors' server."""

    def request_share_url(self, verbose: bool = True) -> None:
        """Nothing is shared."""

    def is_from_here(self, client: viser.ClientHandle) -> bool:
        """Whether a browser shows the page that came from this server, and not one of another site."""
        connection = self._websock_server._live_connections.get(client.client_id)
        if connection is None or connection.request is None:
            return False
        headers = connection.request.headers
        hosts, origins = headers.get_all("Host"), headers.get_all("Origin")
        return (
            len(hosts) == 1
            and is_loopback(host_name(hosts[0]))
            and all(urlsplit(o).netloc == hosts[0] for o in origins)
        )

    def send_away(self, client: viser.ClientHandle, why: str) -> None:
        """Ends the connection of a browser."""
        connection = self._websock_server._live_connections.get(client.client_id)
        if connection is not None:
            asyncio.run_coroutine_threadsafe(connection.close(1008, why), self._event_loop)


def bound_uploads(client: viser.ClientHandle, most: int, refused: Callable[[str, int], None]) -> None:
    """Lets only small files in from a browser.

    Args:
        client: the browser.
        most: bytes of a file.
        refused: is told the name and the size of a larger one, whose bytes are then dropped as they come.
    """
    connection, gui = client._websock_connection, client.gui

    def begin(client_id: ClientId, message: messages.FileTransferStartUpload) -> None:
        if message.size_bytes <= most:
            gui._handle_file_transfer_start(client_id, message)
            return
        # the page waits for this before its button works again
        done = messages.FileTransferPartAck(
            source_component_uuid=message.source_component_uuid,
            transfer_uuid=message.transfer_uuid,
            transferred_bytes=message.size_bytes,
            total_bytes=message.size_bytes,
        )
        connection.queue_message(done)
        refused(message.filename, message.size_bytes)

    connection.unregister_handler(messages.FileTransferStartUpload)
    connection.register_handler(messages.FileTransferStartUpload, begin)
