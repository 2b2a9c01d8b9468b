"""The studio as a server on this machine: a session for each browser, and one clock for all.

viser 1.1 leaves some things open that a page on one's own machine should not. A web page from elsewhere may open a
WebSocket to a loopback address, directly or through a name that it turns into one (DNS rebinding); the headers of its
request show it. viser's share button sends everything through a server of its authors; it is taken out. viser reads an
upload of any size into memory; here its first message says whether it may.
"""

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
from motionclip.serving import UploadReader, host_name, is_loopback
from motionclip.studio.client import LOG, ClientSession, JobQueue, SharedState
from motionclip.studio.library import LibraryCollection
from motionclip.studio.panels.controls import add_status
from motionclip.studio.panels.create import add_blend, add_edit, add_make, add_story
from motionclip.studio.panels.direct import add_direct
from motionclip.studio.panels.export import add_export
from motionclip.studio.panels.files import add_file
from motionclip.studio.panels.keys import add_keys
from motionclip.studio.panels.library import add_library
from motionclip.studio.panels.retime import add_retime
from motionclip.studio.panels.timeline import add_timeline
from motionclip.studio.scene import EYE, TARGET, set_theme
from motionclip.studio.script import add_look, run_script

HOST = "127.0.0.1"
#: Bytes of an uploaded file, and browsers at once.
MAX_UPLOAD_BYTES, MAX_CLIENTS = 20_000_000, 16
#: Frames that are shown in a second, and the width of the panels in pixels.
_FRAME_RATE, _PANEL_WIDTH = 30.0, 400
#: The tabs of a page.
_TABS: dict[str, Callable[[ClientSession], None]] = {
    "Make": add_make,
    "Edit": add_edit,
    "Blend": add_blend,
    "Story": add_story,
    "Direct": add_direct,
    "Time": add_retime,
    "File": add_file,
    "Map": add_library,
    "Export": add_export,
}


class LocalServer(viser.ViserServer):
    """viser on a loopback address, without the way out to its authors' server."""

    def request_share_url(self, verbose: bool = True) -> None:
        """Shares nothing."""

    def is_own_page(self, client: viser.ClientHandle) -> bool:
        """Whether a browser shows the page that came from this server, and not one of another site."""
        connection = self._websock_server._live_connections.get(client.client_id)
        if connection is None or connection.request is None:
            return False
        headers = connection.request.headers
        hosts, origins = headers.get_all("Host"), headers.get_all("Origin")
        return (
            len(hosts) == 1
            and is_loopback(host_name(hosts[0]))
            and all(urlsplit(origin).netloc == hosts[0] for origin in origins)
        )

    def close_connection(self, client: viser.ClientHandle, reason: str) -> None:
        """Ends the connection of a browser."""
        connection = self._websock_server._live_connections.get(client.client_id)
        if connection is not None:
            asyncio.run_coroutine_threadsafe(connection.close(1008, reason), self._event_loop)

    def drop_connections(self) -> None:
        """Ends the connections of all browsers without a farewell, for which it would wait seconds where none reads."""
        for connection in tuple(self._websock_server._live_connections.values()):
            self._event_loop.call_soon_threadsafe(connection.transport.abort)


def limit_uploads(client: viser.ClientHandle, max_bytes: int, on_refused: Callable[[str, int], None]) -> None:
    """Lets only small files in from a browser.

    Args:
        client: the browser.
        max_bytes: of a file.
        on_refused: called with the name and the size of a larger one, whose bytes are then dropped as they come.
    """
    connection, gui = client._websock_connection, client.gui

    def begin(client_id: ClientId, message: messages.FileTransferStartUpload) -> None:
        if message.size_bytes <= max_bytes:
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
        on_refused(message.filename, message.size_bytes)

    connection.unregister_handler(messages.FileTransferStartUpload)
    connection.register_handler(messages.FileTransferStartUpload, begin)


class Studio:
    """Serves from its construction until ``close``.

    Args:
        model: from :func:`motionclip.load`.
        library: what the map shows, from ``index_library`` with the same model; the takes of each page if None.
        port: to listen at; the next free one is taken where it is in use.
    """

    def __init__(self, model: MotionCLIP, *, library: LibraryIndex | None = None, port: int = 8080):
        collection = None if library is None else LibraryCollection(model, library)
        self._shared = SharedState(model, default_body(), JobQueue(), UploadReader(1), collection)
        self._shared.reader.start()
        self._sessions: dict[int, ClientSession] = {}
        self._coming = 0  # browsers whose sessions are being made
        self._lock, self._closed = threading.Lock(), threading.Event()
        # a browser may leave between two frames
        warnings.filterwarnings("ignore", "Queued a .* on a closed connection")
        with contextlib.redirect_stdout(io.StringIO()):  # viser prints a greeting
            self._server = LocalServer(host=HOST, port=port, label="motionclip", verbose=False)
        set_theme(self._server.gui, dark=False)
        self._server.gui.main_panel.dock_right()
        self._server.gui.main_panel.set_width(_PANEL_WIDTH)
        self._server.scene.set_up_direction("+y")
        self._server.initial_camera.position, self._server.initial_camera.look_at = EYE, TARGET
        self._server.on_client_connect(self._connect)
        self._server.on_client_disconnect(self._disconnect)
        self._clock = threading.Thread(target=self._run_clock, name="motionclip-clock", daemon=True)
        self._clock.start()

    @property
    def address(self) -> str:
        """The URL of the page."""
        return f"http://{HOST}:{self._server.get_port()}"

    @property
    def sessions(self) -> tuple[ClientSession, ...]:
        """The sessions of the browsers that are connected."""
        with self._lock:
            return tuple(self._sessions.values())

    def close(self) -> None:
        """Ends the server, its clock, and all jobs."""
        self._closed.set()
        self._clock.join()
        for session in self.sessions:
            session.close()
        self._shared.jobs.close()
        self._shared.reader.close()
        self._server.drop_connections()
        with contextlib.redirect_stdout(io.StringIO()):
            self._server.stop()

    def wait(self) -> None:
        """Returns when ``close`` is called, or the process is interrupted."""
        self._closed.wait()

    def _connect(self, client: viser.ClientHandle) -> None:
        if not self._server.is_own_page(client):
            self._server.close_connection(client, "a page of another site; expected the studio's own")
            return
        with self._lock:
            if self._closed.is_set() or len(self._sessions) + self._coming >= MAX_CLIENTS:
                self._server.close_connection(client, "too many pages are open")
                return
            self._coming += 1
        try:
            session = ClientSession(client, self._shared)  # without the lock: it takes a while
        finally:
            with self._lock:
                self._coming -= 1
        with self._lock:
            self._sessions[client.client_id] = session
        if self._closed.is_set():
            session.close()
        if client.client_id not in self._server.get_clients():  # it left before its session was known
            self._disconnect(client)
            return
        build_page(session)

    def _disconnect(self, client: viser.ClientHandle) -> None:
        with self._lock:
            session = self._sessions.pop(client.client_id, None)
        if session is not None:
            if session.history.takes:
                self._shared.left_takes = session.history.takes
            session.close()

    def _run_clock(self) -> None:
        before = time.monotonic()
        while not self._closed.wait(1 / _FRAME_RATE):
            now = time.monotonic()
            self._tick(now - before)
            before = now

    def _tick(self, seconds: float) -> None:
        # a function of its own: the variables of the clock's loop would keep the last session alive
        for session in self.sessions:
            try:
                session.tick(seconds)
            except Exception as error:  # one browser's fault is not the others'
                LOG.error("a fault in the studio's clock", exc_info=error)
                self._disconnect(session.client)


def build_page(session: ClientSession) -> None:
    """Adds all panels to a page."""

    def refuse(name: str, size: int) -> None:
        session.notify(
            "File too large",
            f"{name[:100]} has {size / 1e6:.1f} MB; expected at most {MAX_UPLOAD_BYTES / 1e6:.0f} MB: cut the motion, "
            "or lower its rate",
        )

    limit_uploads(session.client, MAX_UPLOAD_BYTES, refuse)
    add_status(session)
    tabs = session.client.gui.add_tab_group()
    for name, add_panel in _TABS.items():
        if session.is_closed:  # the browser has left, or the studio ends
            return
        with tabs.add_tab(name):
            add_panel(session)
    run_script(session.client.gui, "drop")
    add_look(session.client.gui)
    add_timeline(session)
    add_keys(session)
