"""One browser: the background jobs that it waits for, and the session behind its page."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import viser

from motionclip.body import Body
from motionclip.errors import MotionClipError
from motionclip.formats import Rig
from motionclip.isolation import CallerLeft
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion
from motionclip.serving import UploadReader
from motionclip.studio.library import Collection, TakeCollection
from motionclip.studio.scene import BodyScene
from motionclip.studio.takes import Part, Player, Poses, Take, TakeHistory, poses_of

T = TypeVar("T")

LOG = logging.getLogger("motionclip.studio")
#: Jobs that one browser may wait for at once.
MAX_JOBS = 4
#: Characters of a title, and of a notification.
_MAX_TITLE, _MAX_MESSAGE = 48, 600
#: Seconds for which a notification is shown.
_MESSAGE_SECONDS = 12.0


class Cancelled(Exception):
    """Nobody waits for this job any more."""


class Job:
    """A piece of work off the page.

    Args:
        title: what is done, for people.
        on_progress: called at every step of long work.
    """

    def __init__(self, title: str, on_progress: Callable[[], None] = lambda: None):
        self._title, self._on_progress, self._progress = title, on_progress, ""
        self.cancelled = threading.Event()  # set when nobody waits for it any more

    @property
    def description(self) -> str:
        """What is done, and how far it is."""
        return self._title + self._progress

    def cancel(self) -> None:
        """Prevents its beginning, ends it at its next step, or has its result thrown away."""
        self.cancelled.set()

    def progress(self, done: int = 0, total: int = 0) -> None:
        """Called by long work between its steps.

        Raises:
            Cancelled: if it was cancelled.
        """
        if self.cancelled.is_set():
            raise Cancelled(self.description)
        if total:
            self._progress = f", {done} of {total}"
            self._on_progress()


class JobQueue:
    """One thread that does the jobs of all browsers, one at a time, in order."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "motionclip-studio")

    def submit(
        self,
        job: Job,
        work: Callable[[Job], T],
        *,
        on_result: Callable[[T], None],
        on_error: Callable[[Exception], None],
        on_end: Callable[[Job], None],
    ) -> None:
        """Has work done after all that was submitted before. The callbacks are called in the same thread.

        Args:
            job: by which it can be cancelled.
            work: calls ``Job.progress`` if it is long.
            on_result: called with the result, unless the job was cancelled.
            on_error: called with an error of ``work`` or ``on_result``.
            on_end: called in any case.
        """

        def run() -> None:
            try:
                job.progress()
                result = work(job)
                job.progress()
                on_result(result)
            except (Cancelled, CallerLeft):
                pass
            except Exception as error:
                on_error(error)
            finally:
                on_end(job)

        self._thread.submit(run)

    def close(self) -> None:
        """Ends the thread after the job that it has begun, which is not waited for; those that wait are dropped."""
        self._thread.shutdown(wait=False, cancel_futures=True)


@dataclass(eq=False)
class SharedState:
    """What all browsers share.

    Attributes:
        model: from :func:`motionclip.load`.
        body: the body that is drawn.
        jobs: does the work.
        reader: reads files.
        library: what the map shows; None for the takes of each page.
        left_takes: those of the page that was closed last, for the next one: a reload closes a page, too.
    """

    model: MotionCLIP
    body: Body
    jobs: JobQueue
    reader: UploadReader
    library: Collection | None
    left_takes: tuple[Take, ...] = ()


class ClientSession:
    """The state behind one page. Any thread may call it.

    Args:
        client: the browser.
        shared: what it shares with others.

    Attributes:
        history: the takes.
        player: the playback time.
        scene: the body that is drawn.
        collection: what the map shows.
        shown: what the body does: the current take, or a preview of something else.
        character: the body that is drawn: a character of the user's own, or None for the default one.
        is_dark: how the page looks.
        lineup: takes side by side of which one is to be chosen; empty if there is nothing to choose.
    """

    def __init__(self, client: viser.ClientHandle, shared: SharedState):
        self.client, self.shared = client, shared
        self.history, self.player = TakeHistory(), Player()
        self.scene = BodyScene(client, shared.body, self.choose)
        self.collection = shared.library or TakeCollection(shared.model, self.history)
        self.shown: Take | None = None
        self.lineup: tuple[Take, ...] = ()
        self.character: Rig | None = None
        self.is_dark = False
        self._drawn: list[Poses] = []
        self._frame = -1  # that is drawn
        self._lock = threading.RLock()
        self._jobs: list[Job] = []
        self._change_callbacks: list[Callable[[], None]] = []
        self._frame_callbacks: list[Callable[[], None]] = []
        self._tick_callbacks: list[Callable[[float], None]] = []
        self._closed = False

    @property
    def model(self) -> MotionCLIP:
        return self.shared.model

    @property
    def is_closed(self) -> bool:
        """Whether the browser has left."""
        return self._closed

    @property
    def pending(self) -> tuple[str, ...]:
        """Descriptions of the job that is being done for it, and of those after that."""
        with self._lock:
            return tuple(job.description for job in self._jobs)

    def on_change(self, callback: Callable[[], None]) -> None:
        """Has a function called when takes, what is shown, or pending jobs have changed."""
        self._change_callbacks.append(callback)

    def on_frame(self, callback: Callable[[], None]) -> None:
        """Has a function called when another frame is shown."""
        self._frame_callbacks.append(callback)

    def on_tick(self, callback: Callable[[float], None]) -> None:
        """Has a function called with the seconds that have passed, whenever time passes."""
        self._tick_callbacks.append(callback)

    def run(self, title: str, work: Callable[[Job], T], on_result: Callable[[T], None]) -> None:
        """Has work done off the page; errors are shown.

        Args:
            title: what is done, for people.
            work: calls ``Job.progress`` if it is long.
            on_result: called with the result, unless the job was cancelled or the browser is gone.
        """
        job = Job(shortened(title), self._refresh)
        with self._lock:
            if self._closed:
                return
            if len(self._jobs) >= MAX_JOBS:
                self.notify("Still at work", f"{MAX_JOBS} things are asked for already: wait for them, or press Stop")
                return
            self._jobs.append(job)
            self.shared.jobs.submit(job, work, on_result=on_result, on_error=self.show_error, on_end=self._remove)
        self._refresh()

    def make(self, title: str, work: Callable[[Job], Motion]) -> None:
        """Has a motion made, which becomes the current take."""
        self.run(title, lambda job: self.new_take(title, work(job)), self.add)

    def cancel_jobs(self) -> None:
        """Cancels all pending jobs."""
        with self._lock:
            for job in self._jobs:
                job.cancel()
            self._jobs.clear()
        self._refresh()

    def new_take(self, title: str, motion: Motion, parts: Sequence[Part] = (), under: Motion | None = None) -> Take:
        """Returns a take of a motion, which is not in the history yet.

        Raises:
            SkeletonError: if no human body is found in the skeleton.
        """
        return Take(shortened(title), motion, poses_of(self.shared.body.fitted(motion)), tuple(parts), under)

    def compare(self, takes: Sequence[Take]) -> None:
        """Plays takes side by side, of which one is to be chosen."""
        with self._lock:
            self._show(*takes)
        self._refresh()

    def choose(self, number: int) -> None:
        """Makes one of those side by side the current take."""
        with self._lock:
            if number < len(self.lineup):
                self.add(self.lineup[number])

    def add(self, take: Take) -> None:
        """Makes a take the current one, and plays it."""
        with self._lock:
            self.history.add(take)
            self._show(take)
        self._refresh()

    def preview(self, take: Take, *, keep_time: bool = False) -> None:
        """Plays a take that is not added to the history."""
        with self._lock:
            self._show(take, keep_time=keep_time)
        self._refresh()

    def wear(self, character: Rig | None) -> None:
        """Draws a character of the user's own in place of the default body, which None or one without a skin is."""
        with self._lock:
            body = None if character is None else character.body
            self.character = None if body is None else character
            self.scene.set_body(body or self.shared.body)
            if self.shown is not None:
                self._show(*(self.lineup or (self.shown,)), keep_time=True)
        self._refresh()

    def toggle_dark(self) -> None:
        """Has the page look dark instead of light, or light again."""
        self.is_dark = not self.is_dark
        self.scene.set_dark(self.is_dark)
        self._refresh()

    def navigate(self, move: Callable[[TakeHistory], None]) -> None:
        """Moves in the history, and plays the take that is current then."""
        with self._lock:
            move(self.history)
            if self.history.current is not None:
                self._show(self.history.current)
        self._refresh()

    def shown_or_notify(self, title: str) -> Take | None:
        """Returns what is shown; shows a notification with a title if there is nothing."""
        if self.shown is None:
            self.notify(title, "make a motion first, or read a file")
        return self.shown

    def tick(self, seconds: float) -> None:
        """Lets time pass, and draws the frame that is due."""
        with self._lock:
            if self.shown is None or self._closed:
                return
            for passing in self._tick_callbacks:
                passing(seconds)
            self.player.advance(seconds)
            if self.player.frame == self._frame:
                return
            self._frame = self.player.frame
            self.scene.pose(self._drawn, self._frame)
            for callback in self._frame_callbacks:
                callback()

    def show_error(self, error: Exception) -> None:
        """Shows an error: what was wrong and what to do, or that the studio made a mistake."""
        if isinstance(error, MotionClipError):
            self.notify("That cannot be done", str(error))
        elif isinstance(error, OSError):
            self.notify("That cannot be done", error.strerror or "a file could not be written")
        else:
            LOG.error("a fault in the studio", exc_info=error)
            self.notify("The studio made a mistake", f"{type(error).__name__}; the terminal shows more")

    def notify(self, title: str, message: str) -> None:
        """Shows a notification at the edge of the page."""
        if not self._closed:
            clipped = message if len(message) <= _MAX_MESSAGE else message[:_MAX_MESSAGE] + "…"
            self.client.add_notification(title, clipped, auto_close_seconds=_MESSAGE_SECONDS, color="red")

    def close(self) -> None:
        """Cancels its jobs and forgets everything."""
        with self._lock:
            self._closed = True
            for job in self._jobs:
                job.cancel()
            self._jobs.clear()
            self._change_callbacks.clear()
            self._frame_callbacks.clear()
            self._tick_callbacks.clear()
            self.shown = None

    def _show(self, take: Take, *others: Take, keep_time: bool = False) -> None:
        """Shows a take, or several side by side."""
        if self._closed:
            return
        takes = (take, *others)
        self.shown, self.lineup, self._frame = take, takes if others else (), -1
        self._drawn = [self._poses(each) for each in takes]
        self.scene.show_bodies(len(takes))
        self.player.load(len(take.poses.quats), take.poses.fps, keep_time=keep_time)
        self.player.playing = self.player.playing or not keep_time

    def _poses(self, take: Take) -> Poses:
        return take.poses if self.character is None else poses_of(self.character.fitted(take.motion))

    def _remove(self, job: Job) -> None:
        with self._lock:
            self._jobs = [other for other in self._jobs if other is not job]
        self._refresh()

    def _refresh(self) -> None:
        with self._lock:  # one thread at a time: panels set several fields that belong together
            for callback in self._change_callbacks:
                callback()


def shortened(text: str) -> str:
    """Returns a text in one line, cut to the length of a title."""
    line = " ".join(text.split())
    return line if len(line) <= _MAX_TITLE else line[: _MAX_TITLE - 1] + "…"
