"""Segments whose words are measured: every clip in tiles of a few seconds, each described by its kinematics."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from random import Random

import numpy as np
from torch import Tensor

from motionclip.data.kinematic_captions import headline, sentences
from motionclip.data.kinematics import measure
from motionclip.data.segments import Segment
from motionclip.data.store import FPS
from motionclip.motion import CANONICAL
from motionclip.motion import rotations as rot
from motionclip.motion.kinematics import forward_kinematics

#: Lengths of the tiles and the distance between their starts, seconds.
_LENGTHS, _STRIDE = (2.0, 4.0), 2.0
_SENTENCES = 3


def measured_segments(clips: Sequence[Segment], sixd: Tensor, root: Tensor) -> Iterator[Segment]:
    """Yields the tiles of whole clips of which something certain can be said.

    Args:
        clips: segments that are whole clips.
        sixd: (N, 24, 6) rotations of all clips.
        root: (N, 3) pelvis positions, metres.
    """
    for clip in clips:
        rows = slice(clip.start, clip.start + clip.num_frames)
        positions = forward_kinematics(rot.sixd_to_matrix(sixd[rows]), root[rows], CANONICAL)[1].double().numpy()
        for start, stop in _tiles(clip.num_frames):
            facts = measure(positions[start:stop], FPS)
            seed = zlib.crc32(np.ascontiguousarray(positions[start:stop]).tobytes())  # the same words in each run
            texts = sentences(facts, Random(seed), _SENTENCES)
            if texts:
                name = headline(facts)
                words = tuple(dict.fromkeys((*texts, str(name))))
                about = (clip.dataset, clip.start + start, stop - start, False, words, None, None)
                yield Segment(*about, action=f"measured: {name}", label=name, measured=True)


def _tiles(num_frames: int) -> Iterator[tuple[int, int]]:
    """Yields starts and ends of tiles; a clip shorter than a tile is one, but only once."""
    for length in sorted({min(round(seconds * FPS), num_frames) for seconds in _LENGTHS}):
        for start in range(0, num_frames - length + 1, round(_STRIDE * FPS)):
            yield start, start + length
