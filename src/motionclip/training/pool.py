"""Windows that the finished auto-encoder encodes once, for the phases that learn from its latents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from motionclip.losses.collective import gathered
from motionclip.losses.objective import TextTargets
from motionclip.model.autoencoder import MotionAutoEncoder
from motionclip.training.batches import gather, rows_of, text_targets
from motionclip.training.distributed import Ranks
from motionclip.training.phase import TrainingSet
from motionclip.training.presets import TrainConfig


@dataclass(frozen=True)
class LatentPool:
    """Windows with words: latents (N, D), words of N windows, and lengths (N,) in seconds."""

    latents: Tensor
    words: TextTargets
    seconds: Tensor


#: Called where a phase needs the pool, so that a run that is past it does without.
PoolMaker = Callable[[], LatentPool]


@torch.compiler.set_stance("force_eager")  # once through the pool: not worth compiling again without gradients
@torch.no_grad()
def encode_pool(model: MotionAutoEncoder, data: TrainingSet, config: TrainConfig, ranks: Ranks) -> LatentPool:
    """Each process encodes its share of the windows, and all get all."""
    model.eval()
    latents, words, seconds = [], [], []
    lengths = sorted(set(config.window_seconds))
    count, own = config.batch_size * ranks.size, ranks.share(config.batch_size)
    for number in range(-(-config.pool // count)):
        frames = round(lengths[number % len(lengths)] * config.model.fps)
        draw = data.windows.draw(config.seed + 1, number, count, frames, config.mirror, with_words=True)
        has_words = draw.text >= 0
        latents.append(gathered(model.encode(gather(data.windows, rows_of(draw, own))))[has_words])
        words.append(rows_of(text_targets(draw, data.embeddings), has_words))
        seconds.append((draw.mask[has_words].sum(dim=1) / config.model.fps).to(latents[-1]))
    targets = (torch.cat([getattr(part, name) for part in words]) for name in ("embedding", "label", "weight"))
    return LatentPool(torch.cat(latents), TextTargets(*targets), torch.cat(seconds))
