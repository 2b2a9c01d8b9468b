"""The text encoder ``clip``: texts and pictures in the space of any OpenAI or OpenCLIP model."""

from motionclip.encoders.clip.encoder import ClipEncoder
from motionclip.encoders.clip.recipe import PUBLISHED, Architecture, Recipe, Stack, full_name
from motionclip.encoders.clip.weights import clip_config
from motionclip.encoders.clip.words import merges_tokenizer, package_vocabulary

__all__ = [
    "PUBLISHED",
    "Architecture",
    "ClipEncoder",
    "Recipe",
    "Stack",
    "clip_config",
    "full_name",
    "merges_tokenizer",
    "package_vocabulary",
]
