"""The `paper` preset's training step, timed in parts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from motionclip.body import default_body
from motionclip.data.store import Store
from motionclip.data.windows import WindowSet
from motionclip.losses.objective import Objective
from motionclip.model.autoencoder import Decoded, MotionAutoencoder
from motionclip.model.checkpoint import Network
from motionclip.training.batches import TrainingSet, gather, text_targets
from motionclip.training.config import PRESETS
from motionclip.training.distributed import DistributedContext
from motionclip.training.frames import FrameEmbeddings
from motionclip.training.learner import descend, optimizer_of

CONFIG = PRESETS["paper"]
FRAMES = 60


def network(device: torch.device, *, bf16: bool) -> MotionAutoencoder:
    """The preset's network, its transformers in bfloat16 or in float32."""
    model = Network(CONFIG.model).to(device).autoencoder
    model.compute_dtype = torch.bfloat16 if bf16 else None
    return model


class Ours:
    """The `paper` preset on a store, with random tables in the place of the text encoders' embeddings."""

    def __init__(self, store: Path, device: torch.device, *, bf16: bool):
        self.device, self.data, self.model = device, training_set(store, device), network(device, bf16=bf16)
        self.objective = Objective(CONFIG.losses, default_body()).to(device)
        self.optimizer = optimizer_of(self.model, CONFIG.autoencoder)

    def compile(self) -> None:
        """As training does with ``compile``."""
        self.model.encoder.compile()
        self.model.decoder.compile()

    def watch(self, lap: Callable[[str], None]) -> None:
        """Let ``lap`` know where the parts of a step end."""
        decode = self.model.decode

        def watched(latent: Tensor, mask: Tensor) -> Decoded:
            decoded = decode(latent, mask)
            lap("transformers, forward")
            decoded.features.register_hook(lambda gradient: lap("losses, backward"))
            return decoded

        self.model.decode = watched  # type: ignore[method-assign]
        self.optimizer.register_step_pre_hook(lambda *_: lap("transformers, backward"))

    def loss(self, batch: int, lap: Callable[[str], None] = lambda name: None) -> Tensor:
        """The loss of a batch."""
        data = self.data
        generator = torch.Generator().manual_seed(0)
        draw = data.windows.draw(generator, batch, FRAMES, CONFIG.windows.mirror)
        texts, frames = text_targets(draw, data.embeddings), data.frames
        images = frames and frames.targets(draw, data.embeddings, "random", generator)
        windows = gather(data.windows, draw)
        lap("batch")
        noise = torch.zeros(batch, CONFIG.model.latent_dim, device=self.device)
        return self.objective(self.model, windows, texts, images, noise)[0]

    def step(self, batch: int, lap: Callable[[str], None]) -> float:
        """One training step; returns the gradient's norm."""
        total = self.loss(batch, lap)
        lap("losses, forward")
        norm = descend(total, self.model, self.optimizer, CONFIG.autoencoder.clip_norm, DistributedContext())
        lap("optimiser")
        return norm

    def gradient(self, batch: int) -> tuple[Tensor, Tensor]:
        """Loss and gradient (P,) of a batch, always the same one, with the same dropout."""
        torch.manual_seed(1)
        self.model.zero_grad()
        total = self.loss(batch)
        total.backward()
        gradients = [parameter.grad.flatten() for parameter in self.model.parameters() if parameter.grad is not None]
        return total.detach(), torch.cat(gradients)

    def gflop(self, batch: int) -> float:
        """Arithmetic of the matrix products of a step."""
        with FlopCounterMode(display=False) as counter:
            self.loss(batch).backward()
        return counter.get_total_flops() / 1e9


def training_set(store: Path, device: torch.device) -> TrainingSet:
    """The store's windows, with unit random vectors for its sentences and for two pictures of every second."""
    windows = WindowSet([Store.open(store)], "train", {}, FRAMES, joined=FRAMES).to(str(device))
    size, frames = CONFIG.model.text_dim, len(windows.root)
    words = F.normalize(torch.randn(len(windows.texts), size), dim=-1).to(device)
    number = torch.full((frames,), -1, device=device)
    number[::15] = torch.arange(len(number[::15]), device=device)
    pictures = F.normalize(torch.randn(1, len(number[::15]), size), dim=-1).to(device)
    return TrainingSet(windows, words, FrameEmbeddings(number, pictures, windows.sixd))
