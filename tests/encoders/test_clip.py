"""The encoder clip: its vectors are those of transformers; files that do not fit are refused in one clear sentence."""

from __future__ import annotations

import json
import shutil
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from random_clip import TINY_NAME, tiny_clip, vocabulary
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.functional import normalize
from transformers import CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

from motionclip.encoders import CachedEncoder, ClipEncoder, ImageEncoder, MiniLMEncoder, load_text_encoder
from motionclip.encoders.clip import _checked_device
from motionclip.errors import ImageError, ModelError, TextError

TEXTS = ["walk", "A person walks forward, then turns left!", "kick", "wave both hands & jump " * 4, "sit down slowly"]


@pytest.fixture(scope="module")
def encoder(clip_folder: Path) -> ClipEncoder:
    return ClipEncoder(TINY_NAME, clip_folder)


@pytest.fixture
def folder(clip_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny CLIP to spoil."""
    return Path(shutil.copytree(clip_folder, tmp_path / "clip"))


def images(count: int) -> list[NDArray[np.uint8]]:
    """Random images of many sizes: every other one has to be cropped, the rest resized."""
    generator = np.random.default_rng(0)
    sizes = [(224 + 2 * n, 224 + 2 * n) if n % 2 else (224, 240 + 2 * n) for n in range(count)]
    return [generator.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]


def assert_near(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


# Vectors


@torch.no_grad()
def test_vectors_equal_those_of_transformers(encoder: ClipEncoder, clip_folder: Path) -> None:
    network, tokenizer = CLIPModel.from_pretrained(clip_folder), CLIPTokenizer.from_pretrained(clip_folder)
    tokens = tokenizer(TEXTS, padding="max_length", max_length=77, truncation=True, return_tensors="pt")
    pixels = CLIPImageProcessorPil.from_pretrained(clip_folder)(images(5), return_tensors="pt")
    assert_near(encoder.encode_texts(TEXTS), normalize(network.get_text_features(**tokens).pooler_output, dim=-1))
    assert_near(encoder.encode_images(images(5)), normalize(network.get_image_features(**pixels).pooler_output, dim=-1))


def test_vectors_are_plain_unit_vectors_that_differ(encoder: ClipEncoder) -> None:
    for vectors in (encoder.encode_texts(TEXTS), encoder.encode_images(images(4))):
        assert vectors.shape[1] == encoder.dim == 32
        assert vectors.dtype == torch.float32
        assert vectors.device.type == "cpu"
        assert not vectors.requires_grad
        torch.testing.assert_close(vectors.norm(dim=-1), torch.ones(len(vectors)))
        assert (torch.cdist(vectors, vectors) + torch.eye(len(vectors))).min() > 1e-3
    assert encoder.encode_texts([]).shape == encoder.encode_images([]).shape == (0, 32)


def test_a_vector_does_not_depend_on_its_neighbours(encoder: ClipEncoder) -> None:
    texts = ["o " * count for count in range(1, 74)]
    assert_near(encoder.encode_texts(texts)[::12], torch.cat([encoder.encode_texts([text]) for text in texts[::12]]))
    many = images(67)
    assert_near(encoder.encode_images(many)[::33], torch.cat([encoder.encode_images([one]) for one in many[::33]]))


def test_a_long_text_is_truncated_with_one_warning_that_names_it(encoder: ClipEncoder) -> None:
    with pytest.warns(UserWarning, match=r"77 tokens.*2 text\(s\): 'o o o") as caught:
        cut = encoder.encode_texts(["o " * 76, "walk", "o " * 200])
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        full = encoder.encode_texts(["o " * 75, "walk"])
    assert_near(cut, full[[0, 1, 0]])
    assert torch.dist(full[0], encoder.encode_texts(["o " * 74])[0]) > 1e-4


def test_autocast_of_the_caller_does_not_reach_the_encoder(encoder: ClipEncoder) -> None:
    texts, vectors = encoder.encode_texts(TEXTS), encoder.encode_images(images(2))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert_near(encoder.encode_texts(TEXTS), texts)
        assert_near(encoder.encode_images(images(2)), vectors)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_agrees_with_cpu(encoder: ClipEncoder, clip_folder: Path) -> None:
    gpu = ClipEncoder(TINY_NAME, clip_folder, "cuda")
    assert gpu.fingerprint == encoder.fingerprint
    torch.testing.assert_close(gpu.encode_texts(TEXTS), encoder.encode_texts(TEXTS), atol=1e-4, rtol=0)
    torch.testing.assert_close(gpu.encode_images(images(3)), encoder.encode_images(images(3)), atol=1e-4, rtol=0)


def test_the_fingerprint_is_of_the_content(encoder: ClipEncoder, folder: Path, tmp_path: Path) -> None:
    assert ClipEncoder(TINY_NAME, folder).fingerprint == encoder.fingerprint
    assert ClipEncoder(TINY_NAME, tiny_clip(tmp_path / "other", seed=1)).fingerprint != encoder.fingerprint
    CLIPImageProcessorPil(image_mean=[0.5, 0.4, 0.3]).save_pretrained(folder)
    other = ClipEncoder(TINY_NAME, folder)
    assert other.fingerprint != encoder.fingerprint
    assert torch.dist(other.encode_images(images(1)), encoder.encode_images(images(1))) > 1e-4
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["hidden_act"] = "gelu"
    (folder / "config.json").write_text(json.dumps(config))
    assert ClipEncoder(TINY_NAME, folder).fingerprint != other.fingerprint


def test_the_cache_keeps_vectors_apart_by_weights(encoder: ClipEncoder, tmp_path: Path) -> None:
    other = ClipEncoder(TINY_NAME, tiny_clip(tmp_path / "other", seed=1))
    vectors = [CachedEncoder(one, tmp_path / "cache").encode_texts(TEXTS) for one in (encoder, other, encoder)]
    assert torch.equal(vectors[0], vectors[2])
    assert torch.dist(vectors[0], vectors[1]) > 0.1
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_only_clip_takes_images(encoder: ClipEncoder) -> None:
    assert isinstance(encoder, ImageEncoder)
    assert not isinstance(MiniLMEncoder(), ImageEncoder)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (["a.png"], "image 1 is a str"),
        ([np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9, 3), np.float32)], r"image 2 .* float32"),
        ([np.zeros((9, 9, 4), np.uint8)], r"\(9, 9, 4\).*expected a list of RGB"),
        ([np.zeros((0, 9, 3), np.uint8)], r"\(0, 9, 3\)"),
        (np.zeros((9, 9, 3), np.uint8), "expected a list of RGB"),
    ],
)
def test_what_is_no_image_is_refused(encoder: ClipEncoder, wrong: list[NDArray[np.uint8]], problem: str) -> None:
    with pytest.raises(ImageError, match=problem):
        encoder.encode_images(wrong)


# Words

# The byte pairs of OpenAI's published vocabulary that this sentence needs, by their rank.
SENTENCE = "a person walks forward, then turns left!"
SENTENCE_MERGES = {
    ("t", "h"): 1, ("a", "r"): 4, ("e", "r"): 5, ("o", "r"): 11, ("o", "n</w>"): 13, ("a", "l"): 14, ("l", "e"): 22,
    ("u", "r"): 53, ("e", "n</w>"): 64, ("f", "or"): 133, ("k", "s</w>"): 150, ("p", "er"): 191, ("ar", "d</w>"): 234,
    ("s", "on</w>"): 313, ("f", "t</w>"): 469, ("t", "ur"): 473, ("w", "al"): 544, ("n", "s</w>"): 861,
    ("w", "ard</w>"): 948, ("th", "en</w>"): 1082, ("le", "ft</w>"): 1311, ("for", "ward</w>"): 1830,
    ("per", "son</w>"): 2021, ("tur", "ns</w>"): 2673, ("wal", "ks</w>"): 7680, ("", ""): 48893,
}  # fmt: skip
SENTENCE_IDS = [49406, 320, 2533, 8192, 2342, 267, 1594, 3185, 1823, 256, 49407]


def full_tokenizer() -> CLIPTokenizer:
    """A vocabulary of CLIP's size with the published ids of the words of the sentence."""
    return CLIPTokenizer(vocab=vocabulary(SENTENCE_MERGES), merges=list(SENTENCE_MERGES)[:-1])


def test_token_ids_are_the_published_ones(tmp_path: Path) -> None:
    encoder = ClipEncoder(TINY_NAME, tiny_clip(tmp_path, tokenizer=full_tokenizer()))
    for text in (SENTENCE, "  A  Person\n WALKS forward , then turns left!", SENTENCE.replace("!", "&#33;")):
        assert encoder._tokens(text) == SENTENCE_IDS


def test_a_tokenizer_with_other_ids_is_refused(tmp_path: Path) -> None:
    tokenizer = full_tokenizer()
    ids = tokenizer.get_vocab()
    ids["person</w>"], ids["walks</w>"] = ids["walks</w>"], ids["person</w>"]
    folder = tiny_clip(tmp_path, tokenizer=CLIPTokenizer(vocab=ids, merges=list(SENTENCE_MERGES)[:-1]))
    with pytest.raises(ModelError, match=r"320, 8192, 2533.* expected CLIP's"):
        ClipEncoder(TINY_NAME, folder)


@pytest.mark.parametrize(
    ("dirty", "plain"),
    [
        ("he &amp;amp; she walk", "he & she walk"),
        ("the person\u2019s arm", "the person's arm"),
        ("the personâ€™s arm", "the person's arm"),
        ("\u201cjump\u201d", '"jump"'),
        ("  walk ", "walk"),
        ("déjà-vu  WALK\tslowly", "déjà-vu walk slowly"),
    ],
)
def test_text_is_cleaned_as_openai_does(encoder: ClipEncoder, dirty: str, plain: str) -> None:
    assert encoder._tokens(dirty) == encoder._tokens(plain)


def test_words_that_vanish_in_cleaning_are_refused(encoder: ClipEncoder) -> None:
    with pytest.raises(TextError, match="no word"):
        encoder.encode_texts(["walk", "\x07"])


# Files


def test_half_precision_files_compute_in_float32(encoder: ClipEncoder, folder: Path) -> None:
    state = {name: tensor.half() for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    torch.testing.assert_close(
        ClipEncoder(TINY_NAME, folder).encode_texts(["walk"]), encoder.encode_texts(["walk"]), atol=1e-2, rtol=0
    )


def test_of_a_pytorch_file_only_tensors_are_read(encoder: ClipEncoder, folder: Path, tmp_path: Path) -> None:
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(state, folder / "pytorch_model.bin")
    assert ClipEncoder(TINY_NAME, folder).fingerprint == encoder.fingerprint

    class Program:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return Path.touch, (tmp_path / "ran",)

    torch.save({**state, "logit_scale": Program()}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="holds no CLIP that can be loaded"):
        ClipEncoder(TINY_NAME, folder)
    assert not (tmp_path / "ran").exists()


def test_what_is_missing_is_named(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ModelError, match=r"nowhere is no folder; expected a folder with"):
        load_text_encoder("clip", tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"is no folder"):
        load_text_encoder("clip", folder / "model.safetensors")
    for file in ("config.json", "preprocessor_config.json", "tokenizer.json", "model.safetensors"):
        (folder / file).rename(tmp_path / file)
        with pytest.raises(ModelError, match=rf"clip has no {file}; expected a CLIP as transformers saves it: config"):
            load_text_encoder(TINY_NAME, folder)
        (tmp_path / file).rename(folder / file)
    load_text_encoder(TINY_NAME, folder)


@pytest.mark.parametrize("file", ["config.json", "preprocessor_config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b"{}", b"\xff" * 100])
def test_damaged_files_are_refused_in_one_line(folder: Path, file: str, damaged: bytes) -> None:
    if (file, damaged) == ("preprocessor_config.json", b"{}"):
        pytest.skip("means CLIP's own preprocessing")
    (folder / file).write_bytes(damaged)
    with pytest.raises(ModelError, match=r"expected clip|get (the|its) files again|get it again") as error:
        load_text_encoder(TINY_NAME, folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "nonsense",
    [
        {"num_hidden_layers": "twelve"},
        {"num_hidden_layers": 1},
        {"num_hidden_layers": 3},
        {"num_attention_heads": 7},
        {"hidden_act": "none"},
        {"patch_size": 16},
        {"image_size": 336},
    ],
)
def test_a_config_that_is_not_of_these_weights_is_refused(folder: Path, nonsense: dict[str, object]) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["vision_config"] |= nonsense
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"files again|expected finite"):
        load_text_encoder(TINY_NAME, folder)


@pytest.mark.parametrize("nonsense", [{"image_mean": [0.5]}, {"image_std": [0, 1, 1]}, {"image_mean": "grey"}])
def test_nonsense_of_the_preprocessor_is_refused(folder: Path, nonsense: dict[str, object]) -> None:
    (folder / "preprocessor_config.json").write_text(json.dumps(nonsense))
    with pytest.raises(ModelError, match=r"preprocessor_config\.json (is damaged|makes images)"):
        load_text_encoder(TINY_NAME, folder)


def test_other_models_are_refused(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "siglip"}))
    with pytest.raises(ModelError, match=r"of a model 'siglip'; expected clip"):
        load_text_encoder(TINY_NAME, folder)


def test_loading_says_nothing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load_text_encoder(TINY_NAME, folder)
    assert capfd.readouterr() == ("", "")


# The hub


class Hub:
    """A little hub: one repository, served from a folder.

    Attributes:
        downloads: files that were downloaded.
    """

    def __init__(self, folder: Path, repository: str):
        self.folder, self.repository = folder, repository
        self.downloads: list[str] = []

    @contextmanager
    def open(self) -> Iterator[str]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                hub.answer(self, body=False)

            def do_GET(self) -> None:
                hub.answer(self, body=True)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()

    def answer(self, request: BaseHTTPRequestHandler, body: bool) -> None:
        path = request.path.partition("?")[0]
        content = self.content(path, body)
        request.send_response(404 if content is None else 200)
        if content is None:
            request.send_header("X-Error-Code", "RepoNotFound")
        request.send_header("Content-Length", str(len(content or b"")))
        request.send_header("ETag", f'"{Path(path).name}"')
        request.send_header("X-Repo-Commit", "0" * 40)
        request.end_headers()
        if body:
            request.wfile.write(content or b"")

    def content(self, path: str, body: bool) -> bytes | None:
        files = sorted(self.folder.iterdir())
        if path.startswith(f"/api/models/{self.repository}/tree/"):
            tree = [{"type": "file", "path": f.name, "size": f.stat().st_size, "oid": f.name} for f in files]
            return json.dumps(tree).encode()
        if path.startswith(f"/api/models/{self.repository}"):
            siblings = [{"rfilename": file.name} for file in files]
            return json.dumps({"id": self.repository, "sha": "0" * 40, "siblings": siblings}).encode()
        file = self.folder / Path(path).name
        if not path.startswith(f"/{self.repository}/resolve/") or not file.is_file():
            return None
        if body:
            self.downloads.append(file.name)
        return file.read_bytes()


@pytest.fixture
def patch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return monkeypatch


def use_hub(patch: pytest.MonkeyPatch, address: str) -> None:
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    patch.setattr(huggingface_hub.constants, "ENDPOINT", address)
    patch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.mark.parametrize("pickled", [False, True])
def test_weights_come_from_the_hub_once_and_from_its_cache_then(
    encoder: ClipEncoder, folder: Path, patch: pytest.MonkeyPatch, pickled: bool
) -> None:
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "open_clip_model.safetensors").write_bytes(b"not wanted")
    if pickled:
        (folder / "model.safetensors").unlink()
    hub = Hub(folder, "random/tiny")
    with hub.open() as address:
        use_hub(patch, address)
        assert load_text_encoder(TINY_NAME).fingerprint == encoder.fingerprint
        assert set(hub.downloads) == {
            "config.json",
            "preprocessor_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "pytorch_model.bin" if pickled else "model.safetensors",
        }
    assert load_text_encoder(TINY_NAME).fingerprint == encoder.fingerprint


def test_a_hub_that_cannot_be_reached_ends_in_one_sentence(patch: pytest.MonkeyPatch) -> None:
    use_hub(patch, "http://127.0.0.1:9")
    with pytest.raises(ModelError) as error:
        load_text_encoder("clip")
    message = str(error.value)
    assert "\n" not in message
    assert "openai/clip-vit-base-patch32 is not in the cache" in message
    assert "--encoder-weights FOLDER" in message


def test_repositories_without_a_clip_are_refused(folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "model.safetensors").rename(folder / "open_clip_model.safetensors")
    with Hub(folder, "random/tiny").open() as address:
        use_hub(patch, address)
        with pytest.raises(ModelError, match=r"random/tiny has no model\.safetensors; expected a CLIP as transformers"):
            load_text_encoder(TINY_NAME)
        with pytest.raises(ModelError, match=r"no public model nobody/nothing"):
            load_text_encoder("clip:nobody/nothing")


# Names, devices, the extra


@pytest.mark.parametrize(
    "name", ["clip:", "clip:ViT-B/", "clip:/home/me/clip", "clip:../clip", "clip:a/b/c", "clip:RN50"]
)
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(ModelError, match=r"clip:ViT-B-32, .*clip:ORG/REPO"):
        load_text_encoder(name)


def test_devices_that_are_not_there_are_refused(clip_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match=r"'tpu'; expected cpu or cuda"):
        load_text_encoder(TINY_NAME, clip_folder, "tpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ModelError, match="no GPU"):
        load_text_encoder(TINY_NAME, clip_folder, "cuda")


def test_one_gpu_of_several_is_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each process of a job that torchrun starts has its own."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert _checked_device("cuda:1") == torch.device("cuda", 1)


def test_the_missing_extra_says_what_to_install(clip_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motionclip.encoders.clip.find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"pip install 'motionclip\[clip\]'"):
        load_text_encoder(TINY_NAME, clip_folder)
