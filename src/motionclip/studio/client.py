"""One browser: what it has made, what it shows, and what it waits for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import viser

from motionclip.body import Body
from motionclip.errors import MotionClipError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion
from motionclip.studio.library import Collection, SessionCollection
from motionclip.studio.scene import Stage
from motionclip.studio.session import Player, Session, Take, poses_of

# Work off the page: one thing at a time, in the order of asking, and dropped when nobody waits any more.


T = TypeVar("T")


class Stopped(Exception):
    """Nobody waits for this work any more."""


class Job:
    """A piece of work that was asked for.

    Args:
        title: what is done, for people.
        on_step: is called at every step of long work.
    """

    def __init__(self, title: str, on_step: Callable[[], None] = lambda: None):
        self._title, self._on_step, self._progress = title, on_step, ""
        self._stopped = threading.Event()

    @property
    def doing(self) -> str:
        """What is done, and how far it is."""
        return self._title + self._progress

    def stop(self) -> None:
        """It is not begun any more, or ends at its next step, or its result is thrown away."""
        self._stopped.set()

    def step(self, done: int = 0, total: int = 0) -> None:
        """What long work calls between its steps.

        Raises:
            Stopped: if it was stopped.
        """
        if self._stopped.is_set():
            raise Stopped(self.doing)
        if total:
            self._progress = f", {done} of {total}"
            self._on_step()


class Workshop:
    """One thread that all browsers share."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "motionclip-studio")

    def start(
        self,
        job: Job,
        work: Callable[[Job], T],
        *,
        then: Callable[[T], None],
        failed: Callable[[Exception], None],
        ended: Callable[[Job], None],
    ) -> None:
        """Has work done after all that was asked for before.

        Args:
            job: by which it can be stopped.
            work: calls ``Job.step`` if it is long.
            then: gets the result, in the same thread, unless the job was stopped.
            failed: gets the error of ``work`` or ``then`` instead, unless the job was stopped.
            ended: is told in any case.
        """

        def whole() -> None:
            try:
                job.step()
                result = work(job)
                job.step()
                then(result)
            except Stopped:
                pass
            except Exception as error:
                failed(error)
            finally:
                ended(job)

        self._pool.submit(whole)

    def close(self) -> None:
        """Ends the thread after what it has begun; what waits is dropped."""
        self._pool.shutdown(cancel_futures=True)


LOG = logging.getLogger("motionclip.studio")
#: Things that one browser may wait for at once.
MOST_JOBS = 4
#: Letters of a title, and of a message.
_TITLE, _MESSAGE = 48, 600
#: Seconds for which a message is shown.
_SHOWN = 12.0


@dataclass(frozen=True, eq=False)
class House:
    """What all browsers share.

    Attributes:
        model: makes and understands motions.
        body: what is shown.
        workshop: where work is done.
        library: what the map shows; None for what each session has made.
    """

    model: MotionCLIP
    body: Body
    workshop: Workshop
    library: Collection | None


class Visitor:
    """The state behind one page. Panels call it; any thread may.

    Args:
        client: the browser.
        house: what it shares with others.

    Attributes:
        session: what was made.
        player: the timeline.
        collection: what the map shows.
        shown: what the stage shows: the current take, or a look at something else.
    """

    def __init__(self, client: viser.ClientHandle, house: House):
        self.client, self.house = client, house
        self.session, self.player = Session(), Player()
        self.stage = Stage(client, house.body)
        self.collection = house.library or SessionCollection(house.model, self.session)
        self.shown: Take | None = None
        self._frame = -1
        self._lock = threading.RLock()
        self._jobs: list[Job] = []
        self._changed: list[Callable[[], None]] = []
        self._timed: list[Callable[[], None]] = []
        self._gone = False

    @property
    def model(self) -> MotionCLIP:
        return self.house.model

    @property
    def waits_for(self) -> tuple[str, ...]:
        """What is being done for it, and what comes after that."""
        with self._lock:
            return tuple(job.doing for job in self._jobs)

    def on_change(self, call: Callable[[], None]) -> None:
        """Has a panel told when takes, what is shown, or what is waited for have changed."""
        self._changed.append(call)

    def on_time(self, call: Callable[[], None]) -> None:
        """Has a panel told when another frame is shown."""
        self._timed.append(call)

    def make(self, title: str, work: Callable[[Job], Motion]) -> None:
        """Has a motion made, which becomes the current take."""
        self.do(title, lambda job: self.take(title, work(job)), self.add)

    def do(self, doing: str, work: Callable[[Job], T], then: Callable[[T], None]) -> None:
        """Has work done off the page; errors are shown.

        Args:
            doing: what it is, for people.
            work: calls ``Job.step`` if it is long.
            then: gets the result, unless the browser is gone or does not want it any more.
        """
        job = Job(short(doing), self._notify)
        with self._lock:
            if self._gone:
                return
            if len(self._jobs) >= MOST_JOBS:
                self.tell("Still at work", f"{MOST_JOBS} things are asked for already: wait for them, or press Stop")
                return
            self._jobs.append(job)
            self.house.workshop.start(job, work, then=then, failed=self.complain, ended=self._ended)
        self._notify()

    def stop(self) -> None:
        """Gives up what is waited for."""
        with self._lock:
            for job in self._jobs:
                job.stop()
            self._jobs.clear()
        self._notify()

    def take(self, title: str, motion: Motion) -> Take:
        """A take of a motion.

        Raises:
            SkeletonError: if the skeleton's joints are of no known family.
        """
        return Take(short(title), motion, poses_of(self.house.body, motion))

    def add(self, take: Take) -> None:
        """Makes a take the current one, and plays it."""
        with self._lock:
            self.session.add(take)
            self._show(take)
        self._notify()

    def look_at(self, take: Take, *, keep_time: bool = False) -> None:
        """Plays something without making it a take."""
        with self._lock:
            self._show(take, keep_time=keep_time)
        self._notify()

    def travel(self, move: Callable[[Session], None]) -> None:
        """Moves in the history, and plays the take that is current then."""
        with self._lock:
            move(self.session)
            if self.session.current is not None:
                self._show(self.session.current)
        self._notify()

    def tick(self, seconds: float) -> None:
        """Lets time pass on the stage."""
        with self._lock:
            if self.shown is None or self._gone:
                return
            self.player.advance(seconds)
            if self.player.frame == self._frame:
                return
            self._frame = self.player.frame
            self.stage.pose(self.shown.poses, self._frame)
            for call in self._timed:
                call()

    def complain(self, error: Exception) -> None:
        """Shows an error: what was wrong and what to do, or that the fault is here."""
        if isinstance(error, MotionClipError):
            self.tell("That cannot be done", str(error))
        elif isinstance(error, OSError):
            self.tell("That cannot be done", error.strerror or "a file could not be written")
        else:
            LOG.error("a fault in the studio", exc_info=error)
            self.tell("The studio made a mistake", f"{type(error).__name__}; the terminal shows more")

    def tell(self, title: str, message: str) -> None:
        """Shows a message at the edge of the page."""
        if not self._gone:
            clipped = message if len(message) <= _MESSAGE else message[:_MESSAGE] + "…"
            self.client.add_notification(title, clipped, auto_close_seconds=_SHOWN, color="red")

    def close(self) -> None:
        """Forgets everything; what is being done for it is stopped, or thrown away."""
        with self._lock:
            self._gone = True
            for job in self._jobs:
                job.stop()
            self._jobs.clear()
            self._changed.clear()
            self._timed.clear()
            self.shown = None

    def _show(self, take: Take, *, keep_time: bool = False) -> None:
        if self._gone:
            return
        self.shown, self._frame = take, -1
        self.player.load(len(take.poses.quats), take.poses.fps, keep_time=keep_time)
        self.player.playing = self.player.playing or not keep_time

    def _ended(self, job: Job) -> None:
        with self._lock:
            self._jobs = [other for other in self._jobs if other is not job]
        self._notify()

    def _notify(self) -> None:
        with self._lock:  # one at a time: panels set several fields that belong together
            for call in self._changed:
                call()


def short(text: str) -> str:
    """A text in one line, cut for a title."""
    line = " ".join(text.split())
    return line if len(line) <= _TITLE else line[: _TITLE - 1] + "…"
