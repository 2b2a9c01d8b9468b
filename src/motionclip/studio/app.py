"""The studio as a server on this machine: a session for each browser, and one clock for all."""

from __future__ import annotations

import asyncio
import contextlib
import io
import threading
import time
import warnings
from collections.abc import Callable
from urllib.parse import urlsplit

import viser
from viser import _messages as messages
from viser.infra import ClientId

from motionclip.applications.search.library import LibraryIndex
from motionclip.body import default_body
from motionclip.model.pipeline import MotionCLIP
from motionclip.serving import host_name, is_loopback
from motionclip.studio.client import LOG, House, Visitor, Workshop
from motionclip.studio.library import LibraryCollection
from motionclip.studio.panels.controls import add_timeline, add_top
from motionclip.studio.panels.create import Blend, Story, add_edit, add_make
from motionclip.studio.panels.files import Export, File
from motionclip.studio.panels.library import Library
from motionclip.studio.scene import EYE, TARGET

# Who may come in, and with how much: what viser 1.1 leaves open and a page on one's own machine should not.
#
# A web page from elsewhere may open a WebSocket to a loopback address, directly or through a name that it turns into
# one (DNS rebinding); the headers of its request tell. viser's share button sends everything through a server of its
# authors; it is taken out. viser reads an upload of any size into memory; here its first message says whether it may.


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


HOST = "127.0.0.1"
#: Bytes of an uploaded file, and browsers at once.
MOST_BYTES, MOST_VISITORS = 20_000_000, 16
#: Frames that are shown in a second, and the width of the panel in pixels.
_RATE, _WIDTH = 30.0, 370


class Studio:
    """Serves from its making until ``close``.

    Args:
        model: from :func:`motionclip.load`.
        library: what the map shows, from ``index_library`` with the same model; what each session makes, if None.
        port: to listen at; the next free one is taken where it is in use.
    """

    def __init__(self, model: MotionCLIP, *, library: LibraryIndex | None = None, port: int = 8080):
        collection = None if library is None else LibraryCollection(model, library)
        self._house = House(model, default_body(), Workshop(), collection)
        self._visitors: dict[int, Visitor] = {}
        self._lock, self._closed = threading.Lock(), threading.Event()
        # a browser may leave between two frames
        warnings.filterwarnings("ignore", "Queued a .* on a closed connection")
        with contextlib.redirect_stdout(io.StringIO()):  # viser greets
            self._server = LocalServer(host=HOST, port=port, label="motionclip", verbose=False)
        self._server.gui.configure_theme(show_logo=False, show_share_button=False, brand_color=(58, 110, 180))
        self._server.gui.main_panel.dock_right()
        self._server.gui.main_panel.set_width(_WIDTH)
        self._server.scene.set_up_direction("+y")
        self._server.initial_camera.position, self._server.initial_camera.look_at = EYE, TARGET
        self._server.on_client_connect(self._enter)
        self._server.on_client_disconnect(self._leave)
        self._clock = threading.Thread(target=self._run, name="motionclip-clock", daemon=True)
        self._clock.start()

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self._server.get_port()}"

    @property
    def visitors(self) -> tuple[Visitor, ...]:
        """The browsers that are here."""
        with self._lock:
            return tuple(self._visitors.values())

    def close(self) -> None:
        """Ends the server, its clock, and what is at work."""
        self._closed.set()
        self._clock.join()
        for visitor in self.visitors:
            visitor.close()
        self._house.workshop.close()
        with contextlib.redirect_stdout(io.StringIO()):
            self._server.stop()

    def wait(self) -> None:
        """Until ``close`` is called, or the process is interrupted."""
        self._closed.wait()

    def _enter(self, client: viser.ClientHandle) -> None:
        if not self._server.is_from_here(client):
            self._server.send_away(client, "a page of another site; expected the studio's own")
            return
        with self._lock:
            if len(self._visitors) >= MOST_VISITORS:
                self._server.send_away(client, "too many pages are open")
                return
            visitor = self._visitors[client.client_id] = Visitor(client, self._house)
        if client.client_id not in self._server.get_clients():  # it left before it was counted
            self._leave(client)
            return
        furnish(visitor)

    def _leave(self, client: viser.ClientHandle) -> None:
        with self._lock:
            visitor = self._visitors.pop(client.client_id, None)
        if visitor is not None:
            visitor.close()

    def _run(self) -> None:
        """The clock: lets time pass for every browser."""
        before = time.monotonic()
        while not self._closed.wait(1 / _RATE):
            now = time.monotonic()
            self._tick(now - before)
            before = now

    def _tick(self, seconds: float) -> None:
        # not in the loop of the clock, whose names would keep the last browser alive
        for visitor in self.visitors:
            try:
                visitor.tick(seconds)
            except Exception as error:  # one browser's fault is not the others'
                LOG.error("a fault in the studio's clock", exc_info=error)
                self._leave(visitor.client)


def furnish(visitor: Visitor) -> None:
    """Adds all panels to a page."""
    bound_uploads(visitor.client, MOST_BYTES, lambda name, size: visitor.tell(*too_large(name, size)))
    add_top(visitor)
    tabs = visitor.client.gui.add_tab_group()
    with tabs.add_tab("Make"):
        add_make(visitor)
    with tabs.add_tab("Edit"):
        add_edit(visitor)
    with tabs.add_tab("Blend"):
        Blend(visitor)
    with tabs.add_tab("Story"):
        Story(visitor)
    with tabs.add_tab("File"):
        File(visitor)
    with tabs.add_tab("Map"):
        Library(visitor)
    with tabs.add_tab("Export"):
        Export(visitor)
    add_timeline(visitor)


def too_large(name: str, size: int) -> tuple[str, str]:
    """Title and message for a file that is not let in."""
    return "File too large", (
        f"{name[:100]} has {size / 1e6:.1f} MB; expected at most {MOST_BYTES / 1e6:.0f} MB: cut the motion, or lower "
        "its rate"
    )
