"""Sentences that arrive together become motions together."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import torch
from prometheus_client import Gauge
from torch import Tensor

from motionclip.encoders import TextEncoder, checked_texts
from motionclip.errors import TextError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion
from motionclip.server.errors import busy
from motionclip.server.limits import Limits
from motionclip.server.metrics import Metrics

# A text encoder that remembers: labels and popular sentences are encoded once.


#: Sentences remembered: 15 MB for vectors of 384 numbers.
_KEPT = 10_000


class MemoizedEncoder:
    """Another text encoder, with the vectors of the last sentences kept in memory. Any thread may use it."""

    def __init__(self, text_encoder: TextEncoder):
        self._text_encoder = text_encoder
        self.name, self.dim, self.fingerprint = text_encoder.name, text_encoder.dim, text_encoder.fingerprint
        self._known: OrderedDict[str, Tensor] = OrderedDict()
        self._lock = threading.Lock()

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors (N, dim), as of the text encoder.

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
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return torch.stack([found[text] for text in texts]) if texts else torch.empty(0, self.dim)


# Threads for heavy work, with a line of bounded length before them.


T = TypeVar("T")


class Lane:
    """A few threads that take work in turn. All but the work itself happens on the event loop.

    Args:
        name: in the metrics and for the threads.
        threads: how many.
        each: processor threads of a computation in one of them.
        waiting: work that may wait.
        gauge: shows what waits or is done.
    """

    def __init__(self, name: str, threads: int, each: int, waiting: int, gauge: Gauge):
        # in the thread itself: from outside, MKL does not hear of it
        self._pool = ThreadPoolExecutor(threads, f"motionclip-{name}", torch.set_num_threads, (each,))
        self._room, self._held = threads + waiting, 0
        gauge.labels(name).set_function(lambda: self._held)

    @property
    def is_full(self) -> bool:
        return self._held >= self._room

    async def run(self, work: Callable[[], T]) -> T:
        """The result of work. If the caller is cancelled, work that has begun goes on and keeps its place.

        Raises:
            HttpError: if too much waits already.
        """
        if self.is_full:
            raise busy(f"{self._held} other jobs wait or are being done")
        self._held += 1
        loop, future = asyncio.get_running_loop(), self._pool.submit(work)

        def leave(_: Future[T]) -> None:
            loop.call_soon_threadsafe(self._leave)

        future.add_done_callback(leave)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Ends the threads after what they have begun; what waits is dropped."""
        self._pool.shutdown(cancel_futures=True)

    def _leave(self) -> None:
        self._held -= 1


@dataclass(frozen=True)
class Order:
    """What a motion is to be made of: as the arguments of ``text_to_motion``."""

    text: str
    seconds: float
    seed: int
    guidance: float


def make(model: MotionCLIP, orders: Sequence[Order]) -> list[Motion | TextError]:
    """A motion for each order, the one that ``text_to_motion`` makes of it, or why its words cannot be encoded.

    Words are encoded together; what has one length, seed and guidance is drawn together, what has one length decoded
    together.

    Raises:
        ModelError: if the model cannot make a length.
    """
    made: list[Motion | TextError] = []
    texts = _embedded(model, [order.text for order in orders])
    latents: dict[int, Tensor] = {}
    good = [number for number, text in enumerate(texts) if isinstance(text, Tensor)]
    lengths = [model.num_frames(order.seconds) for order in orders]
    for chosen in _grouped(good, [(lengths[n], orders[n].seed, orders[n].guidance) for n in good]):
        order = orders[chosen[0]]
        together = torch.stack([text for n in chosen if isinstance(text := texts[n], Tensor)])
        drawn = model.sample(together, order.seconds, guidance=order.guidance, seed=order.seed)
        latents.update(zip(chosen, drawn, strict=True))
    motions: dict[int, Motion] = {}
    for chosen in _grouped(good, [lengths[n] for n in good]):
        decoded = model.decode(torch.stack([latents[n] for n in chosen]), orders[chosen[0]].seconds)
        motions.update(zip(chosen, decoded, strict=True))
    for number, text in enumerate(texts):
        made.append(motions[number] if isinstance(text, Tensor) else text)
    return made


def _embedded(model: MotionCLIP, texts: Sequence[str]) -> list[Tensor | TextError]:
    try:
        return list(model.embed_text(texts))
    except TextError:  # one of them; the others shall not suffer from it
        return [_embedded_one(model, text) for text in texts]


def _embedded_one(model: MotionCLIP, text: str) -> Tensor | TextError:
    try:
        return model.embed_text([text])[0]
    except TextError as error:
        return error


def _grouped(numbers: Iterable[int], keys: Iterable[Hashable]) -> list[list[int]]:
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for number, key in zip(numbers, keys, strict=True):
        groups[key].append(number)
    return list(groups.values())


class Batcher:
    """Gathers orders while others are being made.

    Args:
        model: makes them.
        lane: one thread for them.
        limits: how many wait, how many are made together, how long to gather.
        metrics: counts.
    """

    def __init__(self, model: MotionCLIP, lane: Lane, limits: Limits, metrics: Metrics):
        self._model, self._lane, self._limits, self._metrics = model, lane, limits, metrics
        self._waiting: dict[asyncio.Future[Motion], Order] = {}
        self._task: asyncio.Task[None] | None = None
        metrics.waiting.labels("sentences").set_function(lambda: len(self._waiting))

    @property
    def is_full(self) -> bool:
        return len(self._waiting) >= self._limits.waiting

    async def motion(self, order: Order) -> Motion:
        """The motion of an order.

        Raises:
            HttpError: if too many wait already.
            ModelError, TextError: as ``text_to_motion``.
        """
        self._model.num_frames(order.seconds)
        if self.is_full:
            raise busy(f"{len(self._waiting)} sentences wait already")
        future: asyncio.Future[Motion] = asyncio.get_running_loop().create_future()
        self._waiting[future] = order
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        try:
            return await future
        finally:
            self._waiting.pop(future, None)

    async def _work(self) -> None:
        """Until nobody waits."""
        while self._waiting:
            if len(self._waiting) < self._limits.batch:
                await asyncio.sleep(self._limits.gather_ms / 1000)
            batch = dict(list(self._waiting.items())[: self._limits.batch])
            for future in batch:
                del self._waiting[future]
            if batch:
                await self._make(batch)

    async def _make(self, batch: dict[asyncio.Future[Motion], Order]) -> None:
        self._metrics.batch.observe(len(batch))
        orders = list(batch.values())
        try:
            made: Sequence[Motion | Exception] = await self._lane.run(lambda: make(self._model, orders))
        except Exception as error:  # told to each of those who wait for it
            made = [error] * len(batch)
        for future, result in zip(batch, made, strict=True):
            if future.done():
                continue  # its client has left
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
