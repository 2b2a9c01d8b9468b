"""What a GPU computes is what the CPU computes: encoding, decoding, losses, training, and the exchanges of a job.

`python benchmarks/gpu.py` runs these where there is a GPU; elsewhere they are skipped. float32 sums in another order
on a GPU: 1e-4 is a tenth of a millimetre. float16 has 11 bits of a number and bfloat16 has 8, and networks add up what
they round away.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch import distributed as dist
from torch.nn import functional as F

import motionclip
from motionclip.body import default_body
from motionclip.data.store import Store
from motionclip.data.windows import WindowSet
from motionclip.encoders import load_text_encoder
from motionclip.losses.alignment import ImageTargets, TextTargets
from motionclip.losses.objective import Objective
from motionclip.model.autoencoder import MotionAutoencoder
from motionclip.model.checkpoint import Network
from motionclip.model.features import Batch, pose
from motionclip.model.pipeline import MotionCLIP
from motionclip.model.prior import FlowNoise
from motionclip.training.batches import gather
from motionclip.training.config import PRESETS, TrainConfig
from motionclip.training.distributed import DistributedContext
from motionclip.training.trainer import train

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU that torch can use"),
]

FRAMES, WINDOWS = 60, 16
CPU, GPU = torch.device("cpu"), torch.device("cuda")
#: Square root of the mean squared difference, over that of the values, that a precision may make of a latent.
ROUNDING = {torch.float16: 0.01, torch.bfloat16: 0.05}


@pytest.fixture(autouse=True)
def whole_products(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convolutions in float32: cuDNN rounds their inputs to 11 bits (TF32) unless told not to."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


@pytest.fixture(scope="module")
def windows(small_store: Path) -> Batch:
    store = WindowSet([Store.open(small_store)], "train", {}, 21)
    return gather(store, store.draw(torch.Generator().manual_seed(0), WINDOWS, FRAMES, mirror=True))


@pytest.fixture(scope="module")
def gpu_model() -> MotionCLIP:
    return motionclip.load(device="cuda")


def relative(one: Tensor, other: Tensor) -> float:
    return float((one.cpu() - other.cpu()).norm() / other.norm())


def test_latents_are_those_of_the_cpu(base_model: MotionCLIP, gpu_model: MotionCLIP, windows: Batch) -> None:
    one, other = gpu_model.encode_batch(windows), base_model.encode_batch(windows)
    assert one.device.type == "cuda"
    torch.testing.assert_close(one.cpu(), other, atol=1e-5, rtol=0)


def test_decoded_joints_are_those_of_the_cpu(base_model: MotionCLIP, gpu_model: MotionCLIP, windows: Batch) -> None:
    latents = base_model.encode_batch(windows)
    one, other = gpu_model.decode_batch(latents, windows.mask), base_model.decode_batch(latents, windows.mask)
    made, true = pose(one.sixd.cpu(), one.root.cpu())[1], pose(other.sixd, other.root)[1]
    torch.testing.assert_close(made[windows.mask], true[windows.mask], atol=1e-4, rtol=0)
    assert one.contacts is not None and other.contacts is not None
    torch.testing.assert_close(one.contacts.cpu(), other.contacts, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    "sentence", ["a person walks", "a person spins around very fast", "a person jumps and kicks with the left foot"]
)
def test_a_sentence_is_the_same_motion(base_model: MotionCLIP, gpu_model: MotionCLIP, sentence: str) -> None:
    one = motionclip.text_to_motion(gpu_model, sentence, seconds=3.0)
    other = motionclip.text_to_motion(base_model, sentence, seconds=3.0)
    assert one.root.device.type == "cpu"
    torch.testing.assert_close(one.positions, other.positions, atol=5e-4, rtol=0)


def test_applications_answer_as_on_the_cpu(base_model: MotionCLIP, gpu_model: MotionCLIP) -> None:
    walk = motionclip.text_to_motion(base_model, "a person walks", seconds=3.0)
    calls: list[Callable[[MotionCLIP], motionclip.Motion]] = [
        lambda model: motionclip.edit(model, walk, minus="a person walks", plus="a person runs"),
        lambda model: motionclip.restyle(model, walk, "elderly"),
        lambda model: motionclip.interpolate(model, walk, "a person waves", 3)[1],
        lambda model: motionclip.complete(model, walk, [(1.0, 1.5)], steps=3),
        lambda model: motionclip.reconstruct(model, walk),
    ]
    for call in calls:
        torch.testing.assert_close(call(gpu_model).positions, call(base_model).positions, atol=2e-3, rtol=0)


@pytest.mark.parametrize("kind", ROUNDING)
@pytest.mark.parametrize("preset", ["base", "paper"])
def test_half_precision_rounds_no_more_than_its_bits(preset: str, kind: torch.dtype, windows: Batch) -> None:
    model = network(PRESETS[preset], GPU)
    with torch.no_grad():
        exact = model.encode(windows.to(GPU))
        model.compute_dtype = kind
        rough = model.encode(windows.to(GPU))
    assert rough.dtype == exact.dtype
    assert relative(rough, exact) < ROUNDING[kind]


@pytest.mark.parametrize("preset", ["base", "paper"])
def test_losses_and_gradients_are_those_of_the_cpu(preset: str, windows: Batch) -> None:
    config = PRESETS[preset]
    (one, parts, slope), (other, expected, true) = (descent(config, windows, device) for device in (GPU, CPU))
    torch.testing.assert_close(one.cpu(), other, atol=0, rtol=1e-4)
    for name, value in expected.items():
        torch.testing.assert_close(parts[name].cpu(), value, atol=1e-6, rtol=1e-3)
    assert relative(slope, true) < 1e-3


def test_bfloat16_descends_in_the_same_direction(windows: Batch) -> None:
    (loss, _, slope), (rough, _, other) = (
        descent(PRESETS["paper"], windows, GPU, kind) for kind in (None, torch.bfloat16)
    )
    torch.testing.assert_close(rough, loss, atol=0, rtol=0.02)
    assert F.cosine_similarity(slope, other, dim=0) > 0.98


def network(config: TrainConfig, device: torch.device) -> MotionAutoencoder:
    """The preset's network with the same weights on any device, without dropout."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Network(config.model).autoencoder.to(device).eval()


def descent(
    config: TrainConfig, windows: Batch, device: torch.device, kind: torch.dtype | None = None
) -> tuple[Tensor, dict[str, Tensor], Tensor]:
    """The loss, its parts and its gradient (P,) on a batch with random texts and frames."""
    model = network(config, device)
    model.compute_dtype = kind
    draw = torch.Generator().manual_seed(1)
    texts, frames = (
        F.normalize(torch.randn(2, WINDOWS, config.model.text_dim, generator=draw), dim=-1).to(device).unbind()
    )
    noise = torch.randn(WINDOWS, config.model.latent_dim, generator=draw).to(device)
    everyone = torch.ones(WINDOWS, device=device)
    described = TextTargets(texts, torch.arange(WINDOWS, device=device) // 2, everyone)
    objective = Objective(config.losses, default_body(), config.contrast, config.autoencoder.latent_noise).to(device)
    total, parts = objective(model, windows.to(device), described, ImageTargets(frames, everyone), noise)
    total.backward()
    gradients = [parameter.grad.flatten() for parameter in model.parameters() if parameter.grad is not None]
    return total.detach(), {name: part.detach() for name, part in parts.items()}, torch.cat(gradients)


def test_the_loss_of_the_prior_is_that_of_the_cpu(base_model: MotionCLIP, gpu_model: MotionCLIP) -> None:
    draw = torch.Generator().manual_seed(2)
    size = base_model.config.latent_dim
    latents, texts = F.normalize(torch.randn(2, WINDOWS, size, generator=draw), dim=-1).unbind()
    noise, seconds = FlowNoise.draw(WINDOWS, size - 1, draw), torch.full((WINDOWS,), 2.0)
    found = []
    for model in (gpu_model, base_model):
        assert model.prior is not None
        place = model.device
        found.append(model.prior.loss(latents.to(place), texts.to(place), seconds.to(place), noise.to(place)).cpu())
    torch.testing.assert_close(*found, atol=0, rtol=1e-4)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_training_gives_the_losses_of_the_cpu_and_resumes(small_store: Path, tmp_path: Path, precision: str) -> None:
    config = dataclasses.replace(PRESETS["tiny"].shortened(6), save_every=3, bf16=precision == "bfloat16")
    near = losses(config, small_store, tmp_path / "cpu", "cpu")
    far = losses(config, small_store, tmp_path / "gpu", "cuda")
    assert len(far) == len(near)
    # The start of PCA draws on the device; what it finds hardly depends on that.
    assert far[:6] == pytest.approx(near[:6], rel=0.02 if precision == "float32" else 0.1)
    losses(config, small_store, tmp_path / "gpu", "cuda", resume=True)
    motion = motionclip.text_to_motion(motionclip.load(tmp_path / "gpu", device="cuda"), "a person walks", seconds=2.0)
    assert motion.rotations.isfinite().all()


def losses(config: TrainConfig, store: Path, out: Path, device: str, *, resume: bool = False) -> list[float]:
    """The losses of all steps of a run."""
    found: list[float] = []

    def follow(phase: str, step: int, steps: int, loss: float | None) -> None:
        if loss is not None:
            found.append(loss)

    train(config, [Store.open(store)], out, load_text_encoder("minilm"), device=device, resume=resume, on_step=follow)
    return found


def test_the_exchanges_of_a_job_go_through_nccl() -> None:
    """One process is a job, too: what it sends it gets back, and gradients flow."""
    from motionclip.losses import distributed

    dist.init_process_group("nccl", store=dist.HashStore(), rank=0, world_size=1)
    try:
        rows = torch.randn(4, 8, device=GPU, requires_grad=True)
        total = distributed._Sum.apply(rows).sum() + (distributed._Gather.apply(rows) * 2).sum()
        total.backward()
        torch.testing.assert_close(total, 3 * rows.sum())
        torch.testing.assert_close(rows.grad, torch.full_like(rows, 3.0))
        module = torch.nn.Linear(3, 2).to(GPU)
        module(torch.ones(1, 3, device=GPU)).sum().backward()
        before = [parameter.grad.clone() for parameter in module.parameters() if parameter.grad is not None]
        job = DistributedContext(rank=0, size=2)  # one of two, the other of which sends nothing here
        job.share_weights(module)
        job.sum_gradients(module)
        torch.testing.assert_close([parameter.grad for parameter in module.parameters()], before)
    finally:
        dist.destroy_process_group()
