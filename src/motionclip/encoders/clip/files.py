"""Where a CLIP's files lie: a folder in the layout of the Hugging Face hub, one file, or the hub itself."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

from motionclip.encoders.clip.recipe import repository_of
from motionclip.errors import ModelError

WEIGHTS = ("open_clip_model.safetensors", "model.safetensors")
"""In order of preference: a folder with both may keep something else than a whole CLIP in the second."""

_SMALL = ("config.json", "preprocessor_config.json", "tokenizer.json")
_PICKLES = (".pt", ".pth", ".bin", ".ckpt")
_OPTION = "give their folder with --encoder-weights FOLDER (in Python: weights=FOLDER)"


@dataclass(frozen=True)
class Files:
    """The files of a CLIP; of the small ones, some may be missing.

    Attributes:
        weights: safetensors.
        config: ``config.json``: the sizes.
        preprocessor: ``preprocessor_config.json``: colours.
        tokenizer: ``tokenizer.json``: the vocabulary.
    """

    weights: Path
    config: Path
    preprocessor: Path
    tokenizer: Path


def find_files(name: str, weights: str | Path | None) -> Files:
    """The files of a model.

    Args:
        name: full name.
        weights: a folder, a file with its small files beside it, or None for the hub's cache or else the hub.

    Raises:
        ModelError: if there are no weights, they are a pickle, or the hub cannot be reached.
    """
    if weights is None:
        return _with_small_files(_from_hub(repository_of(name)))
    path = Path(weights).expanduser()
    if path.is_dir():
        return _with_small_files(_in_folder(path))
    if not path.is_file():
        raise ModelError(f"{path} does not exist; expected a folder or a file with the weights of {name}")
    if path.suffix != ".safetensors":
        raise ModelError(_refusal(path))
    return _with_small_files(path)


def _with_small_files(weights: Path) -> Files:
    return Files(weights, *(weights.with_name(file) for file in _SMALL))


def _in_folder(folder: Path) -> Path:
    for file in WEIGHTS:
        if (folder / file).is_file():
            return folder / file
    for path in sorted(folder.iterdir()):
        if path.suffix in _PICKLES:
            raise ModelError(_refusal(path, f"{folder} holds no {WEIGHTS[1]}, and "))
    raise ModelError(f"{folder} holds no {WEIGHTS[1]}; expected a folder with {WEIGHTS[1]} and tokenizer.json")


def _refusal(path: Path, before: str = "") -> str:
    """What to do with a file that is no safetensors."""
    if path.suffix not in _PICKLES:
        return f"{before}{path.name} is no weights file; expected a folder or a .safetensors file"
    reader = "torch.jit.load(f, 'cpu').state_dict()" if _is_torchscript(path) else "torch.load(f, weights_only=True)"
    script = (
        f"import torch, safetensors.torch as s; f = r'{path}'; "
        f"s.save_file({{k: v.clone() for k, v in {reader}.items()}}, r'{path.with_suffix('.safetensors')}')"
    )
    return (
        f"{before}{path.name} is a pickle, which can run any program when it is read; expected safetensors. "
        f'If you trust it, convert it with: python -c "{script}"'
    )


def _is_torchscript(path: Path) -> bool:
    """Whether a file is a compiled module, as OpenAI's are, and not a plain dict of tensors."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(entry.endswith("/constants.pkl") for entry in archive.namelist())


def _from_hub(repository: str) -> Path:
    """The weights of a repository in the hub's cache, with the small files beside them; downloaded if need be."""
    from huggingface_hub import try_to_load_from_cache

    for file in WEIGHTS:
        cached = try_to_load_from_cache(repository, file)
        if isinstance(cached, str):
            return Path(cached)
    return _download(repository)


def _download(repository: str) -> Path:
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        # Asked without retries: where there is no network the answer comes at once.
        there = {sibling.rfilename for sibling in HfApi().model_info(repository, timeout=10).siblings or []}
        if weights := [file for file in WEIGHTS if file in there]:
            # The weights come last: where they are cached, nothing else is missing.
            for file in (*sorted(there.intersection(_SMALL)), weights[0]):
                path = Path(hf_hub_download(repository, file))
            return path
    except RepositoryNotFoundError as error:
        raise ModelError(f"the Hugging Face hub has no public model {repository}; expected clip:ORG/REPO") from error
    except Exception as error:  # its errors are those of an HTTP library, which changes with its version
        raise ModelError(
            f"the weights of {repository} are not in the cache of the Hugging Face hub, which cannot be reached "
            f"({_first_line(error)}); get {WEIGHTS[0]} or {WEIGHTS[1]}, and with it {', '.join(_SMALL)}, from "
            f"https://huggingface.co/{repository} on another machine and {_OPTION}"
        ) from error
    raise ModelError(_nothing_to_load(repository, there))


def _nothing_to_load(repository: str, there: set[str]) -> str:
    pickles = sorted(file for file in there if Path(file).suffix in _PICKLES)
    found = f"only pickles ({', '.join(pickles)})" if pickles else f"no {WEIGHTS[1]}"
    return (
        f"the repository {repository} holds {found}; expected safetensors: take another repository with the same "
        f"weights, or convert a copy and {_OPTION}"
    )


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
