"""A trained model on disk: a folder of ``config.json`` and ``model.safetensors``.

Weights are stored in half precision and computed with in single. Nothing is unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from motionclip.errors import ModelError
from motionclip.formats.files import replacing, save_tensors
from motionclip.gate.documents import DocumentError, parse_object
from motionclip.gate.tensors import TensorError, read_tensors
from motionclip.model.autoencoder import MotionAutoencoder
from motionclip.model.config import ModelConfig
from motionclip.model.network import ResidualAutoencoder
from motionclip.model.paper import PaperAutoencoder
from motionclip.model.prior import LatentPrior

CONFIG_FILE, WEIGHTS_FILE, CARD_FILE = "config.json", "model.safetensors", "MODEL_CARD.md"
SHIPPED = "base"


class Network(nn.Module):
    """All trained modules: the autoencoder with its heads, and the latent prior, if the config has one."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        kind = PaperAutoencoder if config.architecture == "paper" else ResidualAutoencoder
        self.autoencoder: MotionAutoencoder = kind(config)
        self.prior = LatentPrior(config) if config.prior_layers else None


def save_network(network: Network, folder: Path) -> None:
    """Writes config and weights, in half precision, into a folder, each under a temporary name first."""
    tensors = {name: value.half().cpu() for name, value in network.state_dict().items()}
    with replacing(folder / CONFIG_FILE) as path:
        path.write_text(json.dumps(network.config.to_dict(), indent=2) + "\n")
    save_tensors(folder / WEIGHTS_FILE, tensors)


class Uninitialised(TorchFunctionMode):
    """Parameters of modules that are made in it hold anything at all, for weights are about to replace them.

    On torch's meta device nothing is drawn either, but its normal numbers import the compiler, which takes a second.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Returns what a function returns, but for those of ``nn.init`` the tensor as it is."""
        given = kwargs or {}
        if getattr(func, "__module__", None) == nn.init.__name__:
            return args[0] if args else given["tensor"]
        return func(*args, **given)


def load_network(folder: Path) -> Network:
    """Returns the network of a model folder, in evaluation mode.

    Raises:
        ModelError: if a file is missing or damaged, or the weights do not fit the config.
    """
    with Uninitialised():
        network = Network(_read_config(folder / CONFIG_FILE))
    tensors = read_weights(folder / WEIGHTS_FILE)
    expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in tensors.items()}
    if expected != found:
        wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        raise ModelError(
            f"{folder / WEIGHTS_FILE} does not fit {CONFIG_FILE} beside it; missing, left over or of another shape: "
            f"{', '.join(wrong[:5])}{' ...' if len(wrong) > 5 else ''}"
        )
    network.load_state_dict({name: value.float() for name, value in tensors.items()}, assign=True)
    return network.eval()


def _read_config(path: Path) -> ModelConfig:
    if not path.is_file():
        raise ModelError(f"{path} is missing; expected the folder of a trained model, such as RUN/model")
    try:
        return ModelConfig.from_dict(parse_object(path.read_bytes()))
    except DocumentError as error:
        raise ModelError(f"{path} is damaged: {error}; copy the model again") from error


def read_weights(path: Path) -> dict[str, Tensor]:
    """Returns the tensors of a .safetensors file by name.

    Raises:
        ModelError: if the file is missing or damaged, or a number in it is not finite.
    """
    if not path.is_file():
        raise ModelError(f"{path} is missing; copy the model again, weights and all")
    try:
        return read_tensors(path)[0]
    except TensorError as error:
        raise ModelError(f"{path} is damaged: {error}; copy the model again") from error


def find_model(name: str | Path) -> Path:
    """Returns the folder of a model, given by a shipped name, a model folder, or a run folder that holds one.

    Raises:
        ModelError: if there is none.
    """
    shipped = Path(str(resources.files("motionclip"))) / "weights"
    for folder in (Path(name), Path(name) / "model", shipped / name):
        if (folder / WEIGHTS_FILE).is_file():
            return folder
    known = sorted(path.parent.name for path in shipped.glob(f"*/{WEIGHTS_FILE}"))
    raise ModelError(
        f"no model at {name}; expected a folder with {WEIGHTS_FILE}, or one of {', '.join(known) or 'none'}"
    )
