"""What a page remembers and how its time runs, without a page."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from motionclip.studio import session as sessions
from motionclip.studio.client import Job, Workshop
from motionclip.studio.session import Player, Session
from studio.takes import take


def test_undo_and_redo_walk_along_the_takes() -> None:
    session = Session()
    assert session.current is None and not session.can_undo and not session.can_redo
    for title in "abc":
        session.add(take(title))
    session.undo()
    session.undo()
    session.undo()
    assert session.current is not None and session.current.title == "a" and session.can_redo
    session.redo()
    assert session.current.title == "b"
    session.go_to(7)
    assert session.place == 1


def test_what_was_undone_is_forgotten_when_something_new_is_made() -> None:
    session = Session()
    for title in "abc":
        session.add(take(title))
    session.undo()
    session.add(take("d"))
    assert [one.title for one in session.takes] == ["a", "b", "d"] and not session.can_redo


def test_a_session_forgets_its_oldest_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST_TAKES", 3)
    session = Session()
    for title in "abcde":
        session.add(take(title))
    assert [one.title for one in session.takes] == ["c", "d", "e"] and session.place == 2


def test_time_runs_at_its_speed_and_begins_again() -> None:
    player = Player(frames=30, fps=30.0, playing=True)
    player.advance(0.5)
    assert player.frame == 15
    player.speed = 2.0
    player.advance(0.4)
    assert player.frame == 9 and player.playing


def test_without_loop_time_stops_at_the_last_frame_and_play_begins_again() -> None:
    player = Player(frames=30, fps=30.0, playing=True, loop=False)
    player.advance(3.0)
    assert player.frame == 29 and not player.playing
    player.toggle()
    assert player.frame == 0 and player.playing


def test_scrubbing_stops_inside_the_motion() -> None:
    player = Player(frames=30, fps=30.0, playing=True)
    player.seek(400)
    assert player.frame == 29 and not player.playing
    player.seek(12)
    player.advance(1.0)
    assert player.frame == 12
    player.load(frames=5, fps=30.0, keep_time=True)
    assert player.frame == 4


def test_poses_are_what_the_body_is_skinned_with() -> None:
    walked = take("walk", frames=60)
    assert walked.poses.quats.shape == (60, 24, 4) and np.allclose(walked.poses.quats, (1, 0, 0, 0))
    assert np.allclose(walked.poses.positions, walked.motion.positions.numpy(), atol=1e-6)
    ahead = walked.poses.path[:, 1]
    assert np.all(np.diff(ahead) >= 0) and np.allclose(ahead[20:40], walked.motion.root[20:40, 2], atol=1e-4)


def test_work_is_done_one_at_a_time_in_order() -> None:
    workshop, done, ended = Workshop(), [], threading.Semaphore(0)
    inside = 0

    def work(number: int) -> int:
        nonlocal inside
        inside += 1
        assert inside == 1
        inside -= 1
        return number

    for number in range(5):
        workshop.start(
            Job("count"),
            lambda job, number=number: work(number),
            then=done.append,
            failed=done.append,
            ended=lambda job: ended.release(),
        )
    for _ in range(5):
        assert ended.acquire(timeout=10)
    workshop.close()
    assert done == [0, 1, 2, 3, 4]


def test_stopped_work_ends_at_its_next_step_and_its_result_is_thrown_away() -> None:
    workshop, heard, ended = Workshop(), [], threading.Semaphore(0)
    begun, go_on = threading.Event(), threading.Event()
    steps = []

    def work(job: Job) -> str:
        begun.set()
        assert go_on.wait(10)
        steps.append("before")
        job.step(1, 2)
        steps.append("after")
        return "result"

    jobs = [Job("running"), Job("waiting")]
    for job in jobs:
        workshop.start(job, work, then=heard.append, failed=heard.append, ended=lambda job: ended.release())
    assert begun.wait(10)
    for job in jobs:
        job.stop()
    go_on.set()
    assert ended.acquire(timeout=10) and ended.acquire(timeout=10)
    workshop.close()
    assert steps == ["before"] and heard == []


def test_an_error_is_told_and_the_next_work_is_done() -> None:
    workshop, heard, ended = Workshop(), [], threading.Semaphore(0)
    for work in (lambda job: 1 / 0, lambda job: "fine"):
        workshop.start(Job("try"), work, then=heard.append, failed=heard.append, ended=lambda job: ended.release())
    assert ended.acquire(timeout=10) and ended.acquire(timeout=10)
    workshop.close()
    assert isinstance(heard[0], ZeroDivisionError) and heard[1] == "fine"
