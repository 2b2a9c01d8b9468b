"""The tower ``clip``: texts and pictures in the space of any OpenAI or OpenCLIP model."""

from motionclip.towers.clip.recipe import PUBLISHED, Architecture, Recipe, Stack, full_name
from motionclip.towers.clip.tower import ClipTower
from motionclip.towers.clip.weights import clip_config
from motionclip.towers.clip.words import merges_tokenizer, package_vocabulary

__all__ = [
    "PUBLISHED",
    "Architecture",
    "ClipTower",
    "Recipe",
    "Stack",
    "clip_config",
    "full_name",
    "merges_tokenizer",
    "package_vocabulary",
]
