"""Sentences that arrive together become the motions that they become alone, and none spoils another's."""

from __future__ import annotations

import asyncio
import threading

import httpx2
import pytest
import torch
from fastapi import FastAPI
from starlette.testclient import TestClient

import motionclip
from motionclip.errors import ModelError, TextError
from motionclip.model.pipeline import MotionCLIP
from motionclip.server.app import create_app
from motionclip.server.batching import BatchedRequest, Batcher, WorkerPool
from motionclip.server.errors import HttpError
from motionclip.server.limits import Limits
from motionclip.server.metrics import Metrics

REQUESTS = [
    BatchedRequest("a person walks", 2.0, 0, 1.5),
    BatchedRequest("a person runs", 2.0, 0, 1.5),
    BatchedRequest("a person waves both hands", 2.0, 7, 1.5),
    BatchedRequest("a person waves both hands", 2.0, 0, 3.0),
    BatchedRequest("a person kicks", 1.0, 0, 1.5),
]


def batcher(model: MotionCLIP, **limits: float) -> tuple[Batcher, Metrics, WorkerPool]:
    metrics = Metrics()
    pool = WorkerPool("making", 1, 1, metrics.waiting)
    return Batcher(model, pool, Limits(**limits), metrics), metrics, pool  # type: ignore[arg-type]


def batches(metrics: Metrics) -> list[str]:
    return [line for line in metrics.text().decode().splitlines() if line.startswith("motionclip_batch_size_count")]


def test_batches_give_the_same_motions(model: MotionCLIP) -> None:
    batched, metrics, pool = batcher(model)

    async def together() -> list[motionclip.Motion]:
        return await asyncio.gather(*(batched.motion(request) for request in REQUESTS))

    made = asyncio.run(together())
    pool.close()
    assert batches(metrics) == ["motionclip_batch_size_count 1.0"]
    for request, motion in zip(REQUESTS, made, strict=True):
        alone = motionclip.text_to_motion(
            model, request.text, seconds=request.seconds, seed=request.seed, guidance=request.guidance
        )
        torch.testing.assert_close(motion.positions, alone.positions, atol=1e-3, rtol=0)


def test_a_bad_sentence_spoils_no_other(model: MotionCLIP) -> None:
    batched, _, pool = batcher(model)

    async def together() -> list[object]:
        texts = ["a person walks", "   ", "a person runs", "\ud800"]
        return await asyncio.gather(
            *(batched.motion(BatchedRequest(text, 1.0, 0, 1.5)) for text in texts), return_exceptions=True
        )

    made = asyncio.run(together())
    pool.close()
    assert [type(result) for result in made] == [motionclip.Motion, TextError, motionclip.Motion, TextError]


def test_a_length_that_cannot_be_made_is_refused_before_it_waits(model: MotionCLIP) -> None:
    batched, metrics, pool = batcher(model)
    with pytest.raises(ModelError, match="seconds"):
        asyncio.run(batched.motion(BatchedRequest("a person walks", 60.0, 0, 1.5)))
    pool.close()
    assert batches(metrics) == ["motionclip_batch_size_count 0.0"]


def test_who_leaves_is_not_made(model: MotionCLIP) -> None:
    batched, metrics, pool = batcher(model, batch=1)
    gate = threading.Event()

    async def scene() -> motionclip.Motion:
        blocked = asyncio.create_task(pool.run(gate.wait))
        await asyncio.sleep(0)
        first = asyncio.create_task(batched.motion(REQUESTS[1]))
        while batches(metrics) != ["motionclip_batch_size_count 1.0"]:
            await asyncio.sleep(0)
        leaving = [first, *(asyncio.create_task(batched.motion(request)) for request in REQUESTS[2:])]
        await asyncio.sleep(0)
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        gate.set()
        await blocked
        return await batched.motion(REQUESTS[0])

    assert asyncio.run(scene()).duration == 2.0
    pool.close()
    assert batches(metrics) == ["motionclip_batch_size_count 2.0"]


def test_the_line_is_bounded(model: MotionCLIP) -> None:
    batched, _, pool = batcher(model, waiting=2)

    async def flood() -> list[object]:
        return await asyncio.gather(*(batched.motion(REQUESTS[0]) for _ in range(20)), return_exceptions=True)

    made = asyncio.run(flood())
    pool.close()
    assert [type(result) for result in made] == [motionclip.Motion] * 2 + [HttpError] * 18


def post_many(app: FastAPI, count: int, text: str = "a person walks") -> list[httpx2.Response]:
    """Answers to requests that arrive at one time."""

    async def together() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            asked = {"text": text, "seconds": 1}
            return await asyncio.gather(*(client.post("/generate", json=asked) for _ in range(count)))

    return asyncio.run(together())


def test_a_flood_is_turned_away_and_told_when_to_return(model: MotionCLIP) -> None:
    answers = post_many(create_app(model, limits=Limits(waiting=4, requests=16)), 40)
    assert {answer.status_code for answer in answers} == {200, 503}
    assert all(answer.headers["retry-after"] == "1" for answer in answers if answer.status_code == 503)


def test_clients_at_once_all_get_an_answer(model: MotionCLIP) -> None:
    app = create_app(model, limits=Limits(gather_ms=300))
    answers = post_many(app, 12)
    assert {answer.status_code for answer in answers} == {200}
    first, *others = (torch.tensor(answer.json()["positions"]) for answer in answers)
    for other in others:
        torch.testing.assert_close(other, first, atol=1e-3, rtol=0)
    (line,) = batches(app.state.service.metrics)
    assert float(line.split()[1]) < 12


def test_work_that_waits_is_bounded() -> None:
    gate, pool = threading.Event(), WorkerPool("jobs", 1, 1, Metrics().waiting)

    def wait() -> bool:
        return gate.wait(120)

    async def scene() -> None:
        tasks = [asyncio.create_task(pool.run(wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(HttpError) as refused:
            await pool.run(wait)
        assert refused.value.status == 503
        for task in tasks:  # what has begun keeps its place, what waits gives it up
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        while pool.is_full:
            await asyncio.sleep(0)
        gate.set()
        assert await pool.run(lambda: 5) == 5

    asyncio.run(scene())
    pool.close()


def test_threads_that_do_what_nobody_waits_for_are_seen() -> None:
    gate, begun, pool = threading.Event(), threading.Event(), WorkerPool("jobs", 1, 1, Metrics().waiting)

    def wait() -> bool:
        begun.set()
        return gate.wait(120)

    async def scene() -> None:
        task = asyncio.create_task(pool.run(wait))
        while not begun.is_set():
            await asyncio.sleep(0.01)
        assert not pool.is_stuck
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert pool.is_stuck
        gate.set()
        while pool.is_stuck:
            await asyncio.sleep(0.01)

    asyncio.run(scene())
    pool.close()


def test_a_server_whose_workers_are_stuck_is_not_ready(model: MotionCLIP, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WorkerPool, "is_stuck", True)
    client = TestClient(create_app(model), base_url="http://localhost")
    answer = client.get("/ready")
    assert answer.status_code == 503 and "no worker answers" in answer.text
    assert client.get("/health").status_code == 200
