"""Sentences that arrive together become motions together."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motionclip.errors import TextError
from motionclip.model.pipeline import MotionCLIP
from motionclip.motion import Motion
from motionclip.server.lanes import Lane
from motionclip.server.limits import Limits
from motionclip.server.metrics import Metrics
from motionclip.server.refusals import busy


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
            Refusal: if too many wait already.
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
