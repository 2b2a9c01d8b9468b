"""Small files in the layouts in which AMASS, BABEL and HumanML3D are published. One second is one metre along x."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

UPRIGHT = [np.pi / 2, 0.0, 0.0]


def smplh(path: Path, seconds: float = 4.0, fps: float = 120.0, gender: str | bytes = "male") -> Path:
    """A file of the SMPL+H release."""
    frames = round(seconds * fps)
    common = _common(frames, fps, 156)
    return _save(
        path, common | {"mocap_framerate": np.array(fps), "gender": np.array(gender), "dmpls": _zeros(frames, 8)}
    )


def smplx(path: Path, seconds: float = 4.0, fps: float = 120.0, said: float | None = None, whole: bool = True) -> Path:
    """A file of the SMPL-X release, which may say a wrong rate; without ``poses`` unless ``whole``."""
    frames = round(seconds * fps)
    arrays = _common(frames, fps, 165)
    poses = arrays["poses"]
    if not whole:
        del arrays["poses"]
    parts = {"root_orient": poses[:, :3], "pose_body": poses[:, 3:66], "pose_hand": poses[:, 75:]}
    parts |= {"pose_jaw": poses[:, 66:69], "pose_eye": poses[:, 69:75]}
    about: dict[str, Any] = {
        "mocap_frame_rate": np.array(fps if said is None else said),
        "mocap_time_length": np.array(seconds),
        "gender": np.array("neutral"),
        "surface_model_type": np.array("smplx"),
        "num_betas": np.array(16),
        "markers_latent_vids": np.array({"ARIEL": 1}, dtype=object),
    }
    return _save(path, arrays | parts | about)


def label(text: str | None, start: float | None = None, end: float | None = None, cats: list[str] | None = None) -> Any:
    """A label of BABEL: of a frame annotation with times, of a sequence annotation without."""
    row = {"raw_label": text, "proc_label": text, "seg_id": "3f0c", "act_cat": cats}
    return row if start is None else row | {"start_t": start, "end_t": end}


def annotation(*labels: Any) -> Any:
    return {"babel_lid": "59ad", "anntr_id": "eab5", "mul_act": True, "labels": list(labels)}


def sequence(feat_p: str, dur: float = 4.0, **annotations: Any) -> Any:
    return {"babel_sid": 7692, "url": "https://babel/007692.mp4", "feat_p": feat_p, "dur": dur, **annotations}


def babel(folder: Path, **files: list[Any]) -> Path:
    """BABEL's files ``train=[...]`` and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        (folder / f"{name}.json").write_text(json.dumps({str(number): row for number, row in enumerate(rows)}))
    return folder


def humanml3d(folder: Path, rows: list[tuple[str, int, int, str]], texts: dict[str, list[str]], **splits: str) -> Path:
    """A copy of the HumanML3D repository: rows of the index, lines of the texts, names of each split."""
    inner = folder / "HumanML3D"
    (inner / "texts").mkdir(parents=True)
    lines = ["source_path,start_frame,end_frame,new_name", *(",".join(map(str, row)) for row in rows)]
    (folder / "index.csv").write_text("\n".join(lines) + "\n")
    for name, said in texts.items():
        (inner / "texts" / f"{name}.txt").write_text("\n".join(said) + "\n")
    for split in ("train", "val", "test"):
        (inner / f"{split}.txt").write_text("\n".join(splits.get(split, "").split()) + "\n")
    return folder


def _common(frames: int, fps: float, width: int) -> dict[str, Any]:
    poses = _zeros(frames, width)
    poses[:, :3] = UPRIGHT
    trans = _zeros(frames, 3)
    trans[:, 0] = np.arange(frames) / fps
    return {"poses": poses, "trans": trans, "betas": np.zeros(16)}


def _zeros(frames: int, width: int) -> np.ndarray:
    return np.zeros((frames, width))


def _save(path: Path, arrays: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)
    return path
