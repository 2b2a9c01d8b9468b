"""Who comes into the studio, and what is left when they go."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
from viser import _messages as messages

from motionclip.studio import app
from motionclip.studio.app import MOST_BYTES, Studio
from motionclip.studio.client import MOST_JOBS, Visitor
from studio.pages import until
from studio.wire import Wire


def only(studio: Studio) -> Visitor:
    until(lambda: studio.visitors, "a browser is there")
    (visitor,) = studio.visitors
    return visitor


def test_a_page_of_this_machine_comes_in_and_one_from_elsewhere_does_not(studio: Studio) -> None:
    for stranger in (
        Wire(studio.address, origin="http://elsewhere.example"),
        Wire(studio.address, origin="http://127.0.0.1:1"),
        Wire(studio.address, name="rebound.example"),
    ):
        until(lambda stranger=stranger: not stranger.is_open, "it is sent away")
        assert studio.visitors == ()
    own = Wire(studio.address)
    assert only(studio).shown is None and own.is_open
    own.close()


def test_no_more_than_so_many_pages(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "MOST_VISITORS", 1)
    first = Wire(studio.address)
    only(studio)
    second = Wire(studio.address)
    until(lambda: not second.is_open, "the second is sent away")
    assert first.is_open and len(studio.visitors) == 1
    first.close()


def test_nothing_is_left_of_a_page_that_is_closed_while_its_motion_is_made(studio: Studio) -> None:
    wire, begun, go_on, seen = Wire(studio.address), threading.Event(), threading.Event(), []
    visitor = only(studio)

    def slow(job: object) -> str:
        begun.set()
        assert go_on.wait(30)
        return "a result"

    visitor.do("slow work", slow, seen.append)
    visitor.do("what waits", lambda job: seen.append("begun"), seen.append)
    assert begun.wait(30)
    wire.close()
    until(lambda: studio.visitors == (), "the page is forgotten")
    left = weakref.ref(visitor)
    del visitor
    go_on.set()
    until(lambda: gc.collect() is not None and left() is None, "the session is freed")
    other = Wire(studio.address)
    done = threading.Event()
    only(studio).do("the next one's", lambda job: None, lambda _: done.set())
    assert done.wait(30) and seen == []
    other.close()


def test_a_page_that_asks_for_too_much_is_told(studio: Studio) -> None:
    wire, go_on = Wire(studio.address), threading.Event()
    visitor = only(studio)
    for number in range(MOST_JOBS + 1):
        visitor.do(f"work {number}", lambda job: go_on.wait(30), lambda _: None)
    assert len(visitor.waits_for) == MOST_JOBS
    until(lambda: any("Still at work" in str(message) for message in wire.heard), "a message")
    visitor.stop()
    assert visitor.waits_for == ()
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
    assert asked.wait(30) and tunnels == [] and wire.is_open
    wire.close()


def test_a_large_upload_is_refused_before_it_is_held(studio: Studio) -> None:
    wire = Wire(studio.address)
    visitor = only(studio)
    until(lambda: "GuiUploadButtonMessage" in wire.kinds, "the page is furnished")
    button = next(message for message in wire.heard if message["type"] == "GuiUploadButtonMessage")["uuid"]
    for size, transfer in ((MOST_BYTES + 1, "large"), (1000, "small")):
        wire.send(messages.FileTransferStartUpload(button, transfer, f"{transfer}.bvh", "", 2, size))
        wire.send(messages.FileTransferPart(button, transfer, 0, b"x" * 500))
    until(lambda: "FileTransferPartAck" in wire.kinds, "an answer")
    until(lambda: list(visitor.client.gui._current_file_upload_states) == ["small"], "only the small one is held")
    assert any("large.bvh has 20.0 MB; expected at most 20 MB" in str(message) for message in wire.heard)
    gui = visitor.client.gui
    wire.close()
    until(lambda: not gui._current_file_upload_states, "what had come is dropped")
