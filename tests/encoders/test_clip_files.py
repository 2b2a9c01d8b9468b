"""CLIP's weights from folders, files and the hub; what does not fit is refused in one clear sentence."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import normalize

from motionclip.encoders import ClipEncoder, load_text_encoder
from motionclip.errors import ModelError
from random_clip import TINY_NAME, tiny_clip


@pytest.fixture
def folder(clip_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny CLIP to spoil."""
    return Path(shutil.copytree(clip_folder, tmp_path / "clip"))


class OpenAIClip(nn.Module):
    """CLIP as in OpenAI's publication, with the names of its weights, for one text (L,) and one picture (3, S, S)."""

    def __init__(self, width: int, heads: int, layers: int, vocabulary: int, dim: int, patch: int, patches: int):
        super().__init__()
        self.visual = nn.Module()
        self.visual.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.visual.class_embedding = nn.Parameter(torch.randn(width))
        self.visual.positional_embedding = nn.Parameter(torch.randn(patches + 1, width))
        self.visual.ln_pre, self.visual.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.visual.transformer = self.blocks(width, heads, layers)
        self.visual.proj = nn.Parameter(torch.randn(width, dim))
        self.transformer = self.blocks(width, heads, layers)
        self.token_embedding = nn.Embedding(vocabulary, width)
        self.positional_embedding = nn.Parameter(torch.randn(77, width))
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.randn(width, dim))
        self.logit_scale = nn.Parameter(torch.tensor(1.0))
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.3)

    def blocks(self, width: int, heads: int, layers: int) -> nn.Module:
        stack = nn.Module()
        stack.resblocks = nn.ModuleList(nn.Module() for _ in range(layers))
        for block in stack.resblocks:
            block.attn = nn.MultiheadAttention(width, heads, batch_first=True)
            block.ln_1, block.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
            block.mlp = nn.Module()
            block.mlp.c_fc, block.mlp.c_proj = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        return stack

    def run(self, stack: nn.Module, x: Tensor, mask: Tensor | None) -> Tensor:
        for block in stack.resblocks:
            normed = block.ln_1(x)
            x = x + block.attn(normed, normed, normed, need_weights=False, attn_mask=mask)[0]
            hidden = block.mlp.c_fc(block.ln_2(x))
            x = x + block.mlp.c_proj(hidden * torch.sigmoid(1.702 * hidden))
        return x

    def text(self, ids: Tensor) -> Tensor:
        x = self.token_embedding(ids)[None] + self.positional_embedding[: len(ids)]
        mask = torch.full((len(ids), len(ids)), float("-inf")).triu(1)
        return self.ln_final(self.run(self.transformer, x, mask))[0, -1] @ self.text_projection

    def image(self, pixels: Tensor) -> Tensor:
        patches = self.visual.conv1(pixels[None]).flatten(2).transpose(1, 2)
        x = torch.cat([self.visual.class_embedding[None, None], patches], 1) + self.visual.positional_embedding
        x = self.run(self.visual.transformer, self.visual.ln_pre(x), None)
        return self.visual.ln_post(x[0, 0]) @ self.visual.proj


@pytest.mark.parametrize("extra", [False, True])
@torch.no_grad()
def test_openai_names_give_openai_vectors(folder: Path, extra: bool) -> None:
    text_encoder = load_text_encoder(TINY_NAME, folder)
    vocabulary = json.loads((folder / "config.json").read_text())["text_config"]["vocab_size"]
    torch.manual_seed(0)
    theirs = OpenAIClip(64, 2, 2, vocabulary, 32, 32, 49)
    state = {name: tensor.contiguous() for name, tensor in theirs.state_dict().items()}
    if extra:  # what OpenAI's own archives hold besides
        state |= {name: torch.tensor(77) for name in ("input_resolution", "context_length", "vocab_size")}
    (folder / "model.safetensors").unlink()
    save_file(state, folder / "open_clip_model.safetensors")
    text_encoder = ClipEncoder(TINY_NAME, folder)
    ids = torch.tensor([vocabulary - 2, ord("w") - 33 + 256, ord("o") - 33 + 256, vocabulary - 1])
    assert_near(text_encoder.encode_texts(["w o"])[0], normalize(theirs.text(ids), dim=-1))
    image = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    mean, std = torch.tensor([0.48145466, 0.4578275, 0.40821073]), torch.tensor([0.26862954, 0.26130258, 0.27577711])
    pixels = ((torch.from_numpy(image) / 255 - mean) / std).permute(2, 0, 1)
    assert_near(text_encoder.encode_images([image])[0], normalize(theirs.image(pixels), dim=-1))


def assert_near(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_one_file_with_its_small_files_beside_it(folder: Path) -> None:
    one = load_text_encoder(TINY_NAME, folder / "model.safetensors")
    assert torch.equal(one.encode_texts(["walk"]), load_text_encoder(TINY_NAME, str(folder)).encode_texts(["walk"]))


def test_half_precision_files_compute_in_float32(folder: Path) -> None:
    exact = load_text_encoder(TINY_NAME, folder).encode_texts(["walk"])
    state = {name: tensor.half() for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(state, folder / "model.safetensors")
    torch.testing.assert_close(load_text_encoder(TINY_NAME, folder).encode_texts(["walk"]), exact, atol=1e-2, rtol=0)


def test_what_is_missing_is_named(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ModelError, match=r"nowhere does not exist; expected a folder or a file"):
        load_text_encoder("clip", tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"holds no model\.safetensors; expected a folder with"):
        load_text_encoder("clip", tmp_path)
    (folder / "note.txt").write_text("walk")
    with pytest.raises(ModelError, match=r"note\.txt is no weights file"):
        load_text_encoder("clip", folder / "note.txt")
    (folder / "config.json").unlink()
    with pytest.raises(ModelError, match=r"config\.json is missing"):
        load_text_encoder(TINY_NAME, folder)


def test_damaged_files_are_named(folder: Path) -> None:
    weights = folder / "model.safetensors"
    content = weights.read_bytes()
    for damaged in (b"", content[:1000], content[:-1000], b"walk" * 100):
        weights.write_bytes(damaged)
        with pytest.raises(ModelError, match=r"model\.safetensors is damaged .* get the weights again"):
            load_text_encoder(TINY_NAME, folder)
    weights.write_bytes(content)
    for damaged, problem in ((b"{", "cannot be read"), (b"[]", "holds a list"), (b"\xff", "cannot be read")):
        (folder / "config.json").write_bytes(damaged)
        with pytest.raises(ModelError, match=rf"config\.json {problem}"):
            load_text_encoder(TINY_NAME, folder)


@pytest.mark.parametrize(
    "nonsense",
    [{"num_hidden_layers": "twelve"}, {"num_attention_heads": 7}, {"hidden_act": "none"}, {"patch_size": [32, 16]}],
)
def test_a_config_of_nonsense_is_refused(folder: Path, nonsense: dict[str, object]) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["vision_config"] |= nonsense
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"config\.json"):
        load_text_encoder(TINY_NAME, folder)


@pytest.mark.parametrize("colours", [{"image_mean": [0.5]}, {"image_std": [0, 1, 1]}, {"image_mean": "grey"}])
def test_nonsense_of_the_preprocessor_is_refused(folder: Path, colours: dict[str, object]) -> None:
    (folder / "preprocessor_config.json").write_text(json.dumps(colours))
    with pytest.raises(ModelError, match=r"preprocessor_config\.json .* three numbers"):
        load_text_encoder(TINY_NAME, folder)


def test_other_architectures_are_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"text width 64 where 512 was expected.* for clip:ViT-B-32"):
        load_text_encoder("clip", folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "siglip"}))
    with pytest.raises(ModelError, match=r"not that of a CLIP"):
        load_text_encoder(TINY_NAME, folder)
    (folder / "config.json").write_text(json.dumps({**config, "projection_dim": 16}))
    with pytest.raises(ModelError, match=r"of shape \(32, 64\); expected \(16, 64\)"):
        load_text_encoder(TINY_NAME, folder)


def test_the_activation_of_a_published_name_must_be_right(folder: Path) -> None:
    """Same shapes, other vectors: only config.json tells OpenAI's from OpenCLIP's."""
    (folder / "config.json").write_text(json.dumps({"model_type": "clip"}))
    with pytest.raises(ModelError, match=r"activation quick_gelu where gelu was expected"):
        load_text_encoder("clip:ViT-B-32-laion2B-s34B-b79K", folder)


def test_a_single_file_of_another_size_is_refused(folder: Path) -> None:
    for file in ("config.json", "tokenizer.json"):
        (folder / file).unlink()
    with pytest.raises(ModelError, match=r"\(\d+ names differ\)"):
        load_text_encoder("clip", folder / "model.safetensors")


def test_missing_and_foreign_tensors_are_refused(folder: Path) -> None:
    state = load_file(folder / "model.safetensors")
    save_file({**state, "text_model.embeddings.position_ids": torch.arange(77)}, folder / "model.safetensors")
    load_text_encoder(TINY_NAME, folder)  # older files keep these counters among the weights
    save_file({**state, "classifier": torch.zeros(1)}, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"has a tensor that this CLIP has not, classifier \(1 names"):
        load_text_encoder(TINY_NAME, folder)
    del state["visual_projection.weight"]
    save_file(state, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"lacks visual_projection\.weight"):
        load_text_encoder(TINY_NAME, folder)


def convert(message: str) -> None:
    """Run the command that a refusal gives."""
    found = re.search(r"python -c (\".*\")$", message)
    assert found is not None, message
    (program,) = shlex.split(found[1])
    exec(program, {})


@pytest.mark.parametrize("suffix", [".pt", ".bin"])
def test_pickles_are_refused_with_a_command_that_converts_them(folder: Path, suffix: str) -> None:
    expected = load_text_encoder(TINY_NAME, folder).encode_texts(["walk"])
    weights = folder / "model.safetensors"
    torch.save(load_file(weights), weights.with_suffix(suffix))
    weights.unlink()
    with pytest.raises(ModelError, match="is a pickle, which can run any program"):
        load_text_encoder(TINY_NAME, weights.with_suffix(suffix))
    with pytest.raises(ModelError, match=r"holds no model\.safetensors, and .* is a pickle") as refusal:
        load_text_encoder(TINY_NAME, folder)
    convert(str(refusal.value))
    assert torch.equal(load_text_encoder(TINY_NAME, folder).encode_texts(["walk"]), expected)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled_archives_as_openai_publishes_them_convert_too(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.script(nn.Linear(2, 3)), tmp_path / "model.pt")
    with pytest.raises(ModelError, match="is a pickle") as refusal:
        load_text_encoder("clip", tmp_path / "model.pt")
    convert(str(refusal.value))
    assert load_file(tmp_path / "model.safetensors").keys() == {"weight", "bias"}


class Hub:
    """A little hub: one repository, served from a folder.

    Attributes:
        asked: files that were downloaded.
    """

    def __init__(self, folder: Path, repository: str):
        self.folder, self.repository = folder, repository
        self.asked: list[str] = []

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
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()

    def answer(self, request: BaseHTTPRequestHandler, body: bool) -> None:
        content = self.content(request.path.partition("?")[0], body)
        request.send_response(404 if content is None else 200)
        if content is None:
            request.send_header("X-Error-Code", "RepoNotFound")
        request.send_header("Content-Length", str(len(content or b"")))
        request.send_header("ETag", f'"{zlib.crc32(request.path.encode())}"')
        request.send_header("X-Repo-Commit", "0" * 40)
        request.end_headers()
        if body:
            request.wfile.write(content or b"")

    def content(self, path: str, body: bool) -> bytes | None:
        if path == f"/api/models/{self.repository}":
            siblings = [{"rfilename": file.name} for file in self.folder.iterdir()]
            return json.dumps({"id": self.repository, "siblings": siblings}).encode()
        file = self.folder / Path(path).name
        if not path.startswith(f"/{self.repository}/resolve/main/") or not file.is_file():
            return None
        if body:
            self.asked.append(file.name)
        return file.read_bytes()


@pytest.fixture
def use_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    yield monkeypatch


def go_to(patch: pytest.MonkeyPatch, address: str) -> None:
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    patch.setattr(huggingface_hub.constants, "ENDPOINT", address)
    patch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


def test_weights_come_from_the_hub_once_and_from_its_cache_then(folder: Path, use_hub: pytest.MonkeyPatch) -> None:
    expected = load_text_encoder(TINY_NAME, folder)
    (folder / "pytorch_model.bin").write_bytes(b"not wanted")
    hub = Hub(folder, "random/tiny")
    with hub.open() as address:
        go_to(use_hub, address)
        assert load_text_encoder(TINY_NAME).fingerprint == expected.fingerprint
    assert hub.asked == ["config.json", "tokenizer.json", "model.safetensors"]
    assert torch.equal(load_text_encoder(TINY_NAME).encode_texts(["walk"]), expected.encode_texts(["walk"]))


def test_a_hub_that_cannot_be_reached_ends_in_one_sentence(use_hub: pytest.MonkeyPatch) -> None:
    go_to(use_hub, "http://127.0.0.1:9")
    with pytest.raises(ModelError) as error:
        load_text_encoder("clip")
    message = str(error.value)
    assert "\n" not in message
    assert "timm/vit_base_patch32_clip_224.openai are not in the cache" in message
    assert "open_clip_model.safetensors" in message
    assert "tokenizer.json" in message
    assert "--encoder-weights FOLDER" in message


def test_a_repository_without_safetensors_is_refused(folder: Path, use_hub: pytest.MonkeyPatch) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with Hub(folder, "random/tiny").open() as address:
        go_to(use_hub, address)
        with pytest.raises(ModelError, match=r"only pickles \(pytorch_model\.bin\)"):
            load_text_encoder(TINY_NAME)
        with pytest.raises(ModelError, match=r"no public model nobody/nothing"):
            load_text_encoder("clip:nobody/nothing")


def test_another_seed_makes_another_model(folder: Path, tmp_path: Path) -> None:
    other = tiny_clip(tmp_path / "other", seed=1)
    assert load_text_encoder(TINY_NAME, folder).fingerprint != load_text_encoder(TINY_NAME, other).fingerprint
