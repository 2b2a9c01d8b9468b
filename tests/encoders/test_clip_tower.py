"""The text encoder clip: its vectors are those of transformers, of OpenAI's formula, alone or in a batch."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize
from transformers import AutoTokenizer, CLIPModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from motionclip.encoders import CachedEncoder, ClipEncoder, ImageEncoder, MiniLMEncoder, load_text_encoder
from motionclip.encoders.clip import PUBLISHED, clip_config, merges_tokenizer, package_vocabulary
from motionclip.errors import ImageError, ModelError, TextError
from random_clip import TINY_NAME, script, tiny_clip

TEXTS = ["walk", "A person walks forward, then turns left!", "kick", "wave both hands & jump " * 4, "sit down slowly"]

# Millions of parameters, from the published tables of OpenCLIP.
PARAMETERS = {
    "ViT-B-32": 151.28,
    "ViT-B-16": 149.62,
    "ViT-L-14": 427.62,
    "ViT-L-14-336": 427.94,
    "ViT-B-32-laion2B-s34B-b79K": 151.28,
    "ViT-B-16-laion2B-s34B-b88K": 149.62,
    "ViT-L-14-laion2B-s32B-b82K": 427.62,
    "ViT-H-14-laion2B-s32B-b79K": 986.11,
}


@pytest.fixture(scope="module")
def text_encoder(clip_folder: Path) -> ClipEncoder:
    return ClipEncoder(TINY_NAME, clip_folder)


def pictures(count: int, seed: int = 0) -> list[NDArray[np.uint8]]:
    """Random pictures of many sizes: every other one has to be cropped, the rest resized."""
    chance = np.random.default_rng(seed)
    sizes = [(224 + 2 * n, 224 + 2 * n) if n % 2 else (224, 240 + 2 * n) for n in range(count)]
    return [chance.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]


@torch.no_grad()
def by_transformers(
    folder: Path, texts: list[str], images: list[NDArray[np.uint8]], **colours: list[float]
) -> tuple[Tensor, Tensor]:
    """Vectors of texts, each filled up to 77 tokens, and of pictures, by transformers alone."""
    network = CLIPModel.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokens = tokenizer(texts, padding="max_length", max_length=77, truncation=True, return_tensors="pt")
    pixels = CLIPImageProcessorPil(**colours)(images, return_tensors="pt")
    found = network.get_text_features(**tokens).pooler_output, network.get_image_features(**pixels).pooler_output
    return normalize(found[0], dim=-1), normalize(found[1], dim=-1)


def assert_near(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_vit_b_32_in_full_size_equals_transformers(tmp_path: Path) -> None:
    tokenizer = merges_tokenizer(package_vocabulary())
    folder = script().save_random_clip(tmp_path, PUBLISHED["ViT-B-32"].recipe.architecture, tokenizer)
    text_encoder = load_text_encoder("clip", folder)
    assert isinstance(text_encoder, ImageEncoder)
    assert (text_encoder.name, text_encoder.dim) == ("clip:ViT-B-32", 512)
    texts, images = by_transformers(folder, TEXTS[:3], pictures(2))
    assert_near(text_encoder.encode_texts(TEXTS[:3]), texts)
    assert_near(text_encoder.encode_images(pictures(2)), images)


def test_tiny_clip_equals_transformers(text_encoder: ClipEncoder, clip_folder: Path) -> None:
    texts, images = by_transformers(clip_folder, TEXTS, pictures(5))
    assert_near(text_encoder.encode_texts(TEXTS), texts)
    assert_near(text_encoder.encode_images(pictures(5)), images)


def test_published_sizes_have_the_published_number_of_parameters() -> None:
    assert PUBLISHED.keys() == PARAMETERS.keys()
    for name, millions in PARAMETERS.items():
        with torch.device("meta"):
            network = CLIPModel(clip_config(PUBLISHED[name].recipe.architecture, 49407))
        assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(millions, abs=0.005), name


def test_published_models_have_the_heads_and_activations_that_no_shape_shows() -> None:
    for name, published in PUBLISHED.items():
        text, image = published.recipe.architecture.text, published.recipe.architecture.image
        assert text.activation == image.activation == ("gelu" if "laion" in name else "quick_gelu"), name
        assert text.width // text.heads == 64, name
        assert image.width // image.heads == (80 if "ViT-H" in name else 64), name


def test_vectors_are_plain_unit_vectors(text_encoder: ClipEncoder) -> None:
    for vectors in (text_encoder.encode_texts(TEXTS), text_encoder.encode_images(pictures(3))):
        assert vectors.shape[1] == text_encoder.dim == 32
        assert vectors.dtype == torch.float32
        assert vectors.device.type == "cpu"
        assert not vectors.requires_grad
        torch.testing.assert_close(vectors.norm(dim=-1), torch.ones(len(vectors)))
    assert text_encoder.encode_texts([]).shape == text_encoder.encode_images([]).shape == (0, 32)


def test_vectors_tell_texts_and_pictures_apart(text_encoder: ClipEncoder) -> None:
    for vectors in (text_encoder.encode_texts(TEXTS), text_encoder.encode_images(pictures(4))):
        distances = torch.cdist(vectors, vectors) + torch.eye(len(vectors))
        assert distances.min() > 1e-3


def test_a_text_does_not_depend_on_its_neighbours(text_encoder: ClipEncoder) -> None:
    texts = ["o " * count for count in range(1, 74)]
    together = text_encoder.encode_texts(texts)
    alone = torch.cat([text_encoder.encode_texts([text]) for text in texts[::6]])
    assert_near(together[::6], alone)


def test_a_picture_does_not_depend_on_its_neighbours(text_encoder: ClipEncoder) -> None:
    images = pictures(67)
    together = text_encoder.encode_images(images)
    alone = torch.cat([text_encoder.encode_images([image]) for image in images[::11]])
    assert_near(together[::11], alone)


def test_a_long_text_is_cut_with_one_warning_that_names_it(text_encoder: ClipEncoder) -> None:
    with pytest.warns(UserWarning, match=r"77 tokens.*2 text\(s\): 'o o o") as caught:
        cut = text_encoder.encode_texts(["o " * 76, "walk", "o " * 200])
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        full = text_encoder.encode_texts(["o " * 75, "walk"])
    assert_near(cut, full[[0, 1, 0]])
    assert torch.dist(full[0], text_encoder.encode_texts(["o " * 74])[0]) > 1e-4


def test_autocast_of_the_caller_does_not_reach_the_tower(text_encoder: ClipEncoder) -> None:
    texts, images = text_encoder.encode_texts(TEXTS), text_encoder.encode_images(pictures(2))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(text_encoder.encode_texts(TEXTS), texts)
        assert torch.equal(text_encoder.encode_images(pictures(2)), images)


def check_half_precision(text_encoder: ClipEncoder, half: ClipEncoder) -> None:
    assert half.fingerprint != text_encoder.fingerprint
    for exact, rough in (
        (text_encoder.encode_texts(TEXTS), half.encode_texts(TEXTS)),
        (text_encoder.encode_images(pictures(3)), half.encode_images(pictures(3))),
    ):
        assert rough.dtype == torch.float32
        torch.testing.assert_close(rough.norm(dim=-1), torch.ones(len(rough)))
        assert 1e-6 < (exact - rough).norm(dim=-1).max() < 0.02


def test_half_precision_stays_near(text_encoder: ClipEncoder, clip_folder: Path) -> None:
    check_half_precision(text_encoder, ClipEncoder(TINY_NAME, clip_folder, dtype=torch.bfloat16))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_gpu_agrees_with_cpu(text_encoder: ClipEncoder, clip_folder: Path, dtype: torch.dtype) -> None:
    gpu = ClipEncoder(TINY_NAME, clip_folder, "cuda")
    assert gpu.fingerprint == text_encoder.fingerprint
    torch.testing.assert_close(gpu.encode_texts(TEXTS), text_encoder.encode_texts(TEXTS), atol=1e-4, rtol=0)
    torch.testing.assert_close(
        gpu.encode_images(pictures(3)), text_encoder.encode_images(pictures(3)), atol=1e-4, rtol=0
    )
    check_half_precision(gpu, ClipEncoder(TINY_NAME, clip_folder, "cuda", dtype))


def test_devices_that_are_not_there_are_refused(clip_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match=r"'tpu'; expected cpu or cuda"):
        load_text_encoder(TINY_NAME, clip_folder, "tpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ModelError, match="no GPU"):
        load_text_encoder(TINY_NAME, clip_folder, "cuda")


@pytest.mark.parametrize(
    ("images", "problem"),
    [
        (["a.png"], "picture 1 is a str"),
        ([np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9, 3), np.float32)], r"picture 2 .* float32"),
        ([np.zeros((9, 9, 4), np.uint8)], r"\(9, 9, 4\).*expected a list of RGB"),
        ([np.zeros((0, 9, 3), np.uint8)], r"\(0, 9, 3\)"),
        (np.zeros((9, 9, 3), np.uint8), "expected a list of RGB"),
    ],
)
def test_what_is_no_picture_is_refused(
    text_encoder: ClipEncoder, images: list[NDArray[np.uint8]], problem: str
) -> None:
    with pytest.raises(ImageError, match=problem):
        text_encoder.encode_images(images)


def test_words_that_vanish_in_cleaning_are_refused(text_encoder: ClipEncoder) -> None:
    with pytest.raises(TextError, match="no word"):
        text_encoder.encode_texts(["walk", "\x07"])


def test_the_fingerprint_is_of_the_content_not_of_the_place(text_encoder: ClipEncoder, tmp_path: Path) -> None:
    assert ClipEncoder(TINY_NAME, tiny_clip(tmp_path / "same")).fingerprint == text_encoder.fingerprint
    assert ClipEncoder(TINY_NAME, tiny_clip(tmp_path / "other", seed=1)).fingerprint != text_encoder.fingerprint


def test_colours_of_the_preprocessor_are_used(text_encoder: ClipEncoder, tmp_path: Path) -> None:
    folder = tiny_clip(tmp_path)
    colours = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.5, 0.6, 0.7]}
    (folder / "preprocessor_config.json").write_text(json.dumps(colours))
    other = ClipEncoder(TINY_NAME, folder)
    assert_near(other.encode_images(pictures(2)), by_transformers(folder, TEXTS, pictures(2), **colours)[1])
    assert other.fingerprint != text_encoder.fingerprint


def test_vectors_are_kept_apart_by_weights(text_encoder: ClipEncoder, tmp_path: Path) -> None:
    other = ClipEncoder(TINY_NAME, tiny_clip(tmp_path / "other", seed=1))
    cached = [CachedEncoder(one, tmp_path / "cache") for one in (text_encoder, other, text_encoder)]
    vectors = [one.encode_texts(TEXTS) for one in cached]
    assert torch.equal(vectors[0], vectors[2])
    assert torch.dist(vectors[0], vectors[1]) > 0.1
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_only_clip_takes_pictures(text_encoder: ClipEncoder) -> None:
    assert isinstance(text_encoder, ImageEncoder)
    assert not isinstance(MiniLMEncoder(), ImageEncoder)


@pytest.mark.parametrize(
    "name", ["clip:", "clip:ViT-B/", "clip:/home/me/clip", "clip:../clip", "clip:a/b/c", "clip:RN50"]
)
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(ModelError, match=r"clip:ViT-B-32, .*clip:ORG/REPO"):
        load_text_encoder(name)


def test_the_missing_extra_says_what_to_install(clip_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motionclip.encoders.clip.encoder.find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"pip install 'motionclip\[clip\]'"):
        load_text_encoder(TINY_NAME, clip_folder)
