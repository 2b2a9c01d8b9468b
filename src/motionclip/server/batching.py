"""Texts that arrive together become motions together: a text encoder that remembers, worker pools, and the batcher."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from prometheus_client import Gauge
from torch import Tensor

from motionclip.applications import DEFAULT_TAKES
from motionclip.applications.text_to_motion import Prompts, Takes, decode_best, prompts_of, ranked_takes
from motionclip.encoders import TextEncoder, checked_texts
from motionclip.errors import TextError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion
from motionclip.server.errors import busy_error
from motionclip.server.limits import Limits
from motionclip.server.metrics import Metrics

T = TypeVar("T")

#: Texts that are remembered: 15 MB for vectors of 384 numbers.
_REMEMBERED = 10_000


class MemoizedEncoder:
    """A text encoder with the embeddings of the last texts kept in memory, so that labels and popular sentences are
    encoded once. Any thread may use it.
    """

    def __init__(self, text_encoder: TextEncoder):
        self._text_encoder = text_encoder
        self.name, self.dim, self.fingerprint = text_encoder.name, text_encoder.dim, text_encoder.fingerprint
        self._known: OrderedDict[str, Tensor] = OrderedDict()  # the least recently used first
        self._lock = threading.Lock()

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """Returns unit vectors (N, dim), as the text encoder.

        Raises:
            TextError: as the text encoder.
        """
        texts = checked_texts(texts)
        with self._lock:
            found = {text: self._known[text] for text in texts if text in self._known}
        new = [text for text in dict.fromkeys(texts) if text not in found]
        if new:
            # copies: a row would keep the whole batch in memory
            found |= {text: row.clone() for text, row in zip(new, self._text_encoder.encode_texts(new), strict=True)}
        with self._lock:
            for text in dict.fromkeys(texts):
                self._known[text] = found[text]
                self._known.move_to_end(text)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return torch.stack([found[text] for text in texts]) if texts else torch.empty(0, self.dim)


class WorkerPool:
    """A few threads for heavy work, with a bounded queue. Everything but the work itself runs on the event loop.

    A computation has as many processor threads as one in the thread that makes the pool.

    Args:
        name: of the pool, in the metrics and the names of its threads.
        threads: how many.
        waiting: size of the queue.
        gauge: shows how much work waits or is done.
    """

    def __init__(self, name: str, threads: int, waiting: int, gauge: Gauge):
        # set in the thread itself: MKL does not learn of it from outside
        of_each = (torch.get_num_threads(),)
        self._threads = ThreadPoolExecutor(threads, f"motionclip-{name}", torch.set_num_threads, of_each)
        self._capacity, self._held = threads + waiting, 0
        self._count, self._abandoned = threads, set[Future[Any]]()
        gauge.labels(name).set_function(lambda: self._held)

    @property
    def is_full(self) -> bool:
        return self._held >= self._capacity

    @property
    def is_stuck(self) -> bool:
        """Whether all threads do what nobody waits for any more."""
        return len(self._abandoned) >= self._count

    async def run(self, work: Callable[[], T]) -> T:
        """Returns the result of work. If the caller is cancelled, work that has begun goes on and keeps its place.

        Raises:
            HttpError: 503, if the queue is full.
        """
        if self.is_full:
            raise busy_error(f"{self._held} other jobs wait or are being done")
        self._held += 1
        loop, future = asyncio.get_running_loop(), self._threads.submit(work)

        def release() -> None:
            self._held -= 1
            self._abandoned.discard(future)

        def on_done(_: Future[T]) -> None:  # in any thread
            with contextlib.suppress(RuntimeError):  # the server ended before the work
                loop.call_soon_threadsafe(release)

        future.add_done_callback(on_done)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if future.running():
                self._abandoned.add(future)
            raise

    def close(self) -> None:
        """Ends the threads after what they have begun, which is not waited for; what waits is dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class BatchedRequest:
    """What a motion is to be made of: as the arguments of ``text_to_motion``."""

    text: str
    seconds: float
    seed: int
    guidance: float
    takes: int = DEFAULT_TAKES


class Batcher:
    """Makes motions of texts, those that arrive together or while others are being made in one batch.

    Args:
        model: makes the motions.
        pool: one thread for them.
        limits: of the queue, of a batch, and the time for which a text waits for others.
        metrics: the counters.
    """

    def __init__(self, model: MotionCLIP, pool: WorkerPool, limits: Limits, metrics: Metrics):
        self._model, self._pool, self._limits, self._metrics = model, pool, limits, metrics
        self._waiting: dict[asyncio.Future[Motion], BatchedRequest] = {}
        self._task: asyncio.Task[None] | None = None
        metrics.waiting.labels("sentences").set_function(lambda: len(self._waiting))

    @property
    def is_full(self) -> bool:
        return len(self._waiting) >= self._limits.waiting

    async def motion(self, request: BatchedRequest) -> Motion:
        """Returns the motion of a text.

        Raises:
            HttpError: 503, if too many texts wait already.
            ModelError, TextError: as ``text_to_motion``.
        """
        self._model.num_frames(request.seconds)  # raises its error before it waits
        if self.is_full:
            raise busy_error(f"{len(self._waiting)} sentences wait already")
        future: asyncio.Future[Motion] = asyncio.get_running_loop().create_future()
        self._waiting[future] = request
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        try:
            return await future
        finally:
            self._waiting.pop(future, None)

    async def _run(self) -> None:
        """Makes batches until nothing waits."""
        while self._waiting:
            if len(self._waiting) < self._limits.batch:
                await asyncio.sleep(self._limits.gather_ms / 1000)
            batch = dict(list(self._waiting.items())[: self._limits.batch])
            for future in batch:
                del self._waiting[future]
            if batch:  # else all clients have left meanwhile
                await self._make(batch)

    async def _make(self, batch: dict[asyncio.Future[Motion], BatchedRequest]) -> None:
        self._metrics.batch.observe(len(batch))
        requests = list(batch.values())
        try:
            results: Sequence[Motion | Exception] = await self._pool.run(lambda: make_motions(self._model, requests))
        except Exception as error:  # for each of those who wait
            results = [error] * len(batch)
        for future, result in zip(batch, results, strict=True):
            if future.done():
                continue  # its client has left
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)


def make_motions(model: MotionCLIP, requests: Sequence[BatchedRequest]) -> list[Motion | TextError]:
    """Returns the motion that ``text_to_motion`` makes of each request, or why its text cannot be encoded.

    Texts are encoded together; requests of one guidance and number of takes are sampled
    together, those of one length and number decoded together.

    Raises:
        ModelError: if the model cannot make a length.
    """
    prompts = _embed(model, [request.text for request in requests])
    encoded = {number: row for number, row in enumerate(prompts) if isinstance(row, Prompts)}
    frames = [model.num_frames(request.seconds) for request in requests]
    takes: dict[int, Takes] = {}
    for group in _grouped(encoded, lambda n: (requests[n].guidance, requests[n].takes)):
        drawn = ranked_takes(
            model,
            Prompts.joined([encoded[n] for n in group]),
            [requests[n].seconds for n in group],
            guidance=requests[group[0]].guidance,
            seed=[requests[n].seed for n in group],
            takes=requests[group[0]].takes,
        )
        takes.update({n: drawn.row(row) for row, n in enumerate(group)})
    motions: dict[int, Motion] = {}
    for group in _grouped(encoded, lambda n: (frames[n], requests[n].takes)):
        decoded = decode_best(model, Takes.joined([takes[n] for n in group]), requests[group[0]].seconds)
        motions.update(zip(group, decoded, strict=True))
    return [motions[n] if isinstance(row, Prompts) else row for n, row in enumerate(prompts)]


def _embed(model: MotionCLIP, texts: Sequence[str]) -> list[Prompts | TextError]:
    """Returns what each text is drawn and ranked by, or its error."""
    try:
        prompts = prompts_of(model, texts)
        return [prompts.row(number) for number in range(len(texts))]
    except TextError as error:
        if len(texts) == 1:
            return [error]
        return [_embed(model, [text])[0] for text in texts]  # so that the others do not suffer from it


def _grouped(numbers: Iterable[int], key: Callable[[int], Hashable]) -> list[list[int]]:
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for number in numbers:
        groups[key(number)].append(number)
    return list(groups.values())
