"""What a page remembers and how its time runs, without a page."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from motionclip.studio import takes
from motionclip.studio.client import Job, JobQueue
from motionclip.studio.panels.timeline import tracks, with_playhead
from motionclip.studio.takes import Part, Player, TakeHistory
from studio.takes import take


def test_undo_and_redo_walk_along_the_takes() -> None:
    history = TakeHistory()
    history.undo()
    history.redo()
    assert history.current is None and history.index == -1
    for title in "abc":
        history.add(take(title))
    history.undo()
    history.undo()
    history.undo()
    assert history.current is not None and history.current.title == "a"
    history.redo()
    assert history.current.title == "b"
    history.go_to(7)
    assert history.index == 1


def test_what_was_undone_is_forgotten_when_something_new_is_made() -> None:
    history = TakeHistory()
    for title in "abc":
        history.add(take(title))
    history.undo()
    history.add(take("d"))
    history.redo()
    assert [one.title for one in history.takes] == ["a", "b", "d"] and history.index == 2


def test_a_session_forgets_its_oldest_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takes, "MAX_TAKES", 3)
    history = TakeHistory()
    for title in "abcde":
        history.add(take(title))
    assert [one.title for one in history.takes] == ["c", "d", "e"] and history.index == 2


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
    queue, done, ended = JobQueue(), [], threading.Semaphore(0)
    inside = 0

    def work(number: int) -> int:
        nonlocal inside
        inside += 1
        assert inside == 1
        inside -= 1
        return number

    for number in range(5):
        queue.submit(
            Job("count"),
            lambda job, number=number: work(number),
            on_result=done.append,
            on_error=done.append,
            on_end=lambda job: ended.release(),
        )
    for _ in range(5):
        assert ended.acquire(timeout=120)
    queue.close()
    assert done == [0, 1, 2, 3, 4]


def test_stopped_work_ends_at_its_next_step_and_its_result_is_thrown_away() -> None:
    queue, heard, ended = JobQueue(), [], threading.Semaphore(0)
    begun, go_on = threading.Event(), threading.Event()
    steps = []

    def work(job: Job) -> str:
        begun.set()
        assert go_on.wait(120)
        steps.append("before")
        job.progress(1, 2)
        steps.append("after")
        return "result"

    jobs = [Job("running"), Job("waiting")]
    for job in jobs:
        queue.submit(job, work, on_result=heard.append, on_error=heard.append, on_end=lambda job: ended.release())
    assert begun.wait(120)
    for job in jobs:
        job.cancel()
    go_on.set()
    assert ended.acquire(timeout=120) and ended.acquire(timeout=120)
    queue.close()
    assert steps == ["before"] and heard == []


def test_an_error_is_told_and_the_next_work_is_done() -> None:
    queue, heard, ended = JobQueue(), [], threading.Semaphore(0)
    for work in (lambda job: 1 / 0, lambda job: "fine"):
        queue.submit(
            Job("try"), work, on_result=heard.append, on_error=heard.append, on_end=lambda job: ended.release()
        )
    assert ended.acquire(timeout=120) and ended.acquire(timeout=120)
    queue.close()
    assert isinstance(heard[0], ZeroDivisionError) and heard[1] == "fine"


def test_a_take_that_is_forgotten_makes_way_for_the_one_before() -> None:
    history = TakeHistory()
    history.remove()
    for title in "abc":
        history.add(take(title))
    history.undo()
    history.remove()
    assert [one.title for one in history.takes] == ["a", "c"] and history.current is history.takes[0]
    history.remove()
    assert [one.title for one in history.takes] == ["c"] and history.index == 0
    history.remove()
    assert history.current is None and history.index == -1


def test_the_ruler_shows_parts_and_steps() -> None:
    walked = take("stand & walk", frames=61)
    shown = tracks(walked)
    assert "stand &amp; walk" in shown and ">0.5 s<" in shown and ">1.5 s<" in shown
    story = replace(walked, parts=(Part("stand", 0.0, 0.5), Part("walk", 0.5, 2.0)))
    assert tracks(story).count("border-radius:4px") == 2
    halfway = with_playhead(shown, 0.5)
    assert "left:50.00%" in halfway and halfway.startswith("<div")
