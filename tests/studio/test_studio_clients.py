"""Who comes into the studio, and what is left when they go."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
from viser import _messages as messages

from motionclip.studio import app
from motionclip.studio.app import MAX_UPLOAD_BYTES, Studio
from motionclip.studio.client import MAX_JOBS, ClientSession
from studio.pages import until
from studio.wire import Wire


def only(studio: Studio) -> ClientSession:
    until(lambda: studio.sessions, "a browser is there")
    (session,) = studio.sessions
    return session


def test_a_page_of_this_machine_comes_in_and_one_from_elsewhere_does_not(studio: Studio) -> None:
    for stranger in (
        Wire(studio.address, origin="http://elsewhere.example"),
        Wire(studio.address, origin="http://127.0.0.1:1"),
        Wire(studio.address, name="rebound.example"),
    ):
        until(lambda stranger=stranger: not stranger.is_open, "it is sent away")
        assert studio.sessions == ()
    own = Wire(studio.address)
    assert only(studio).shown is None and own.is_open
    own.close()


def test_no_more_than_so_many_pages(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "MAX_CLIENTS", 1)
    first = Wire(studio.address)
    only(studio)
    second = Wire(studio.address)
    until(lambda: not second.is_open, "the second is sent away")
    assert first.is_open and len(studio.sessions) == 1
    first.close()


def test_nothing_is_left_of_a_page_that_is_closed_while_its_motion_is_made(studio: Studio) -> None:
    wire, begun, go_on, seen = Wire(studio.address), threading.Event(), threading.Event(), []
    session = only(studio)

    def slow(job: object) -> str:
        begun.set()
        assert go_on.wait(120)
        return "a result"

    session.run("slow work", slow, seen.append)
    session.run("what waits", lambda job: seen.append("begun"), seen.append)
    assert begun.wait(120)
    wire.close()
    until(lambda: studio.sessions == (), "the page is forgotten")
    left = weakref.ref(session)
    del session
    go_on.set()
    until(lambda: gc.collect() is not None and left() is None, "the session is freed")
    other = Wire(studio.address)
    done = threading.Event()
    only(studio).run("the next one's", lambda job: None, lambda _: done.set())
    assert done.wait(120) and seen == []
    other.close()


def test_a_page_that_asks_for_too_much_is_told(studio: Studio) -> None:
    wire, go_on = Wire(studio.address), threading.Event()
    session = only(studio)
    for number in range(MAX_JOBS + 1):
        session.run(f"work {number}", lambda job: go_on.wait(120), lambda _: None)
    assert len(session.pending) == MAX_JOBS
    until(lambda: any("Still at work" in str(message) for message in wire.heard), "a message")
    session.cancel_jobs()
    assert session.pending == ()
    go_on.set()
    wire.close()


def test_nothing_is_shared_with_the_outside(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    tunnels: list[object] = []
    monkeypatch.setattr("viser._viser.ViserTunnel", lambda *given: tunnels.append(given))
    wire, asked = Wire(studio.address), threading.Event()
    only(studio)
    own = studio._server.request_share_url
    monkeypatch.setattr(studio._server, "request_share_url", lambda: (own(), asked.set()))
    wire.send(messages.ShareUrlRequest())
    assert asked.wait(120) and tunnels == [] and wire.is_open
    wire.close()


def test_a_large_upload_is_refused_before_it_is_held(studio: Studio) -> None:
    wire = Wire(studio.address)
    session = only(studio)
    until(lambda: "GuiUploadButtonMessage" in wire.kinds, "the page is furnished")
    button = next(message for message in wire.heard if message["type"] == "GuiUploadButtonMessage")["uuid"]
    for size, transfer in ((MAX_UPLOAD_BYTES + 1, "large"), (1000, "small")):
        wire.send(messages.FileTransferStartUpload(button, transfer, f"{transfer}.bvh", "", 2, size))
        wire.send(messages.FileTransferPart(button, transfer, 0, b"x" * 500))
    until(lambda: "FileTransferPartAck" in wire.kinds, "an answer")
    until(lambda: list(session.client.gui._current_file_upload_states) == ["small"], "only the small one is held")
    refused = "large.bvh has 20.0 MB; expected at most 20 MB"
    until(lambda: any(refused in str(message) for message in wire.heard), "the large one is refused")
    gui = session.client.gui
    wire.close()
    until(lambda: not gui._current_file_upload_states, "what had come is dropped")
