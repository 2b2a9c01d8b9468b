"""What the fuzzers damage: a small sound file of everything that is read, made here, and its reader."""

from __future__ import annotations

import base64
import json
import pickle
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from motionclip.applications.search.index import Block, Entry, IndexFolder
from motionclip.cli.storyboard import _read_json
from motionclip.data.prepare import PrepareReport, prepare
from motionclip.data.references import read_references
from motionclip.data.sources import open_source
from motionclip.data.store import Store
from motionclip.formats.gltf import read_glb
from motionclip.formats.joint_map import read_joint_map, write_joint_map
from motionclip.io import read_motion, write_motion
from motionclip.metrics.evaluator import load_evaluator
from motionclip.model.checkpoint import load_network
from motionclip.motion import CANONICAL, Motion, Skeleton
from motionclip.motion import rotations as rot
from motionclip.training.frames import _read as read_vectors
from motionclip.training.run import load_state, save_state

ASF = """:version 1.10
:name VICON
:units
  mass 1.0
  length 0.45
  angle deg
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
  begin
     id 1
     name lhipjoint
     direction 0.7 -0.7 0
     length 2.4
     axis 0 0 0 XYZ
  end
  begin
     id 2
     name lfemur
     direction 0.34 -0.94 0
     length 7.1
     axis 0 0 20 XYZ
     dof rx ry rz
     limits (-160.0 20.0)
            (-70.0 70.0)
            (-60.0 70.0)
  end
:hierarchy
  begin
    root lhipjoint
    lhipjoint lfemur
  end
"""
AMC = "#!OML:ASF\n:FULLY-SPECIFIED\n:DEGREES\n" + "".join(
    f"{n}\nroot 0 17 {n} 0 0 0\nlfemur 1 2 {n}\n" for n in range(1, 9)
)


def swaying(frames: int = 8) -> Motion:
    generator = torch.Generator().manual_seed(2)
    rotations = rot.rotvec_to_matrix(0.3 * torch.randn(frames, 24, 3, generator=generator))
    return Motion(rotations, torch.tensor([0.0, 0.95, 0.0]).expand(frames, 3), 30.0, CANONICAL)


def ending_in_tips(ends: Collection[str], rename: Callable[[str], str] = str) -> Motion:
    """A motion whose bones to some joints end in End Sites: the joints, and what hangs on them, are not in the file."""
    motion, names = swaying(), CANONICAL.names
    lost: set[int] = set()
    for joint, parent in enumerate(CANONICAL.parents):
        if names[joint] in ends or parent in lost:
            lost.add(joint)
    kept = [joint for joint in range(len(names)) if joint not in lost]
    where = {joint: number for number, joint in enumerate(kept)}
    tips = [(where[joint], tip) for joint, tip in CANONICAL.end_sites if joint in where]
    for end in ends:
        joint = CANONICAL.index(end)
        if CANONICAL.parents[joint] in where:
            tips.append((where[CANONICAL.parents[joint]], tuple(CANONICAL.offsets[joint].tolist())))
    skeleton = Skeleton(
        tuple(rename(names[joint]) for joint in kept),
        tuple(where.get(CANONICAL.parents[joint], -1) for joint in kept),
        CANONICAL.offsets[kept],
        tuple(tips),
    )
    return replace(motion, rotations=motion.rotations[:, kept], skeleton=skeleton)


def sound_files(folder: Path) -> dict[str, Path]:
    """A file of each kind that is read."""
    motion = swaying()
    for suffix in (".bvh", ".npz", ".csv", ".npy", ".glb", ".amass.npz"):
        write_motion(motion, folder / f"own{suffix}")
    vectors = rot.matrix_to_rotvec(motion.rotations).numpy()
    parameters = {
        "global_orient": vectors[:, 0],
        "body_pose": vectors[:, 1:22].reshape(8, 63),
        "transl": motion.root.numpy(),
    }
    np.savez(folder / "gvhmr.npz", **parameters)
    np.savez(folder / "kimodo.npz", local_rot_mats=motion.rotations[:, :22], posed_joints=motion.positions[:, :22])
    np.savez(folder / "hy.npz", rot6d=motion.rotations[..., :22, :, :2].reshape(8, 22, 6), transl=motion.root)
    np.save(folder / "joints.npy", motion.positions[:, :22].numpy())
    np.save(
        folder / "mdm.npy", {"motion": motion.positions[None, :, :22].permute(0, 2, 3, 1).numpy(), "text": ["sway"]}
    )
    np.save(folder / "motionx.npy", np.concatenate([vectors[:, :22].reshape(8, 66), np.zeros((8, 256))], axis=1))
    np.savez(folder / "easymocap.npz", poses=vectors[:, 1:].reshape(8, 69), Rh=vectors[:, 0], Th=motion.root.numpy())
    write_motion(ending_in_tips(("left_wrist", "right_ankle", "head")), folder / "tips.bvh")
    (folder / "commas.bvh").write_text((folder / "own.bvh").read_text().replace(".", ","))
    (folder / "gvhmr.pkl").write_bytes(pickle.dumps(parameters))
    torch.save({name: torch.from_numpy(array) for name, array in parameters.items()}, folder / "gvhmr.pt")
    glb = read_glb(folder / "own.glb")
    uri = "data:application/octet-stream;base64," + base64.b64encode(glb.binary).decode()
    glb.document["buffers"][0]["uri"] = uri
    (folder / "own.gltf").write_text(json.dumps(glb.document))
    (folder / "own.asf").write_text(ASF)
    (folder / "own.amc").write_text(AMC)
    if find_spec("ufbx") is not None:
        (folder / "own.fbx").write_bytes(FBX.read_bytes())
    return {path.name: path for path in sorted(folder.iterdir())}


FBX = Path(__file__).parent / "files" / "swaying.fbx"  # written by Blender 5.0.1, of `swaying` on the rig mixamo
KINDS = (
    *("own.bvh", "own.npz", "own.csv", "own.npy", "own.glb", "own.amass.npz", "gvhmr.npz", "kimodo.npz", "hy.npz"),
    *("mdm.npy", "motionx.npy", "easymocap.npz", "tips.bvh", "commas.bvh"),
    *("joints.npy", "gvhmr.pkl", "gvhmr.pt", "own.gltf", "own.asf", "own.amc", "own.fbx"),
)
MODELS = Path(__file__).parents[1] / "models"


@dataclass(frozen=True)
class Kind:
    """A file to damage, the mutations that fit it, and what reads it; the rest of its folder stays sound.

    Attributes:
        name: of the kind.
        file: that is damaged.
        suffix: by which mutations are chosen.
        read: reads it; returns tensors that have to be finite.
    """

    name: str
    file: Path
    suffix: str
    read: Callable[[], list[Tensor]]


def motion_kinds(folder: Path) -> list[Kind]:
    """Those of motion files."""
    kinds = []
    for name, path in sound_files(folder).items():
        suffix = path.suffix
        read = folder / "own.amc" if suffix == ".asf" else path
        fps = 30.0 if suffix in (".pkl", ".pt", ".asf", ".amc") else None
        kinds.append(Kind(name, path, suffix, lambda read=read, fps=fps: _tensors(read_motion(read, fps=fps))))
    return kinds


def document_kinds(folder: Path) -> list[Kind]:
    """Those of what the package keeps itself, and of what users write for it."""
    model, evaluator, store = folder / "model", folder / "evaluator", folder / "store"
    shutil.copytree(MODELS / "tiny", model)
    shutil.copytree(MODELS / "evaluator", evaluator)
    prepare(open_source("synthetic:3"), store)
    index, cached = folder / "index", folder / "vectors.npy"
    latents = torch.nn.functional.normalize(torch.ones(2, 8), dim=1)
    IndexFolder(index, 8).add(Block((Entry("a", "1", 1), Entry("b", "2", 1)), latents, torch.ones(2, 2)))
    (block,) = index.iterdir()
    np.save(cached, np.ones((4, 8), np.float32))
    joints, shots, references, state = (folder / n for n in ("map.json", "shots.json", "said.jsonl", "run.safetensors"))
    write_joint_map(CANONICAL, joints)
    shots.write_text(json.dumps(["a person walks:4", {"what": "a person waves", "seconds": 4}]))
    references.write_text(json.dumps({"action": "bow", "does": ["a person bends"], "said": ["ojigi"]}) + "\n")
    linear = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(linear.parameters())
    linear(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    save_state(state, 7, {"model": linear}, optimizer)

    def resume() -> list[Tensor]:
        fresh = nn.Linear(3, 2)
        load_state(state, {"model": fresh}, torch.optim.AdamW(fresh.parameters()))
        return list(fresh.parameters())

    def look_up() -> list[Tensor]:
        blocks = IndexFolder(index, 8)._blocks.values()
        return [tensor for each in blocks for tensor in (each.embeddings, each.spans)]

    def cache() -> list[Tensor]:
        vectors = read_vectors(cached, (4, 8))
        return [] if vectors is None else [vectors]

    def motions() -> list[Tensor]:
        return [tensor for n in range(3) for tensor in _tensors(Store.open(store).motion(n))]

    def nothing(read: Callable[[Path], Any], path: Path) -> Callable[[], list[Tensor]]:
        def run() -> list[Tensor]:
            read(path)
            return []

        return run

    return [
        Kind("config.json of a model", model / "config.json", ".json", lambda: _weights(load_network(model))),
        Kind("weights of a model", model / "model.safetensors", ".safetensors", lambda: _weights(load_network(model))),
        Kind("config of an evaluator", evaluator / "evaluator.json", ".json", nothing(load_evaluator, evaluator)),
        Kind("manifest of a store", store / "manifest.json", ".json", motions),
        Kind("rotations of a store", store / "sixd.npy", ".npy", motions),
        Kind("report of a store", store / "report.json", ".json", nothing(PrepareReport.read, store)),
        Kind("block of a search index", block, ".safetensors", look_up),
        Kind("cached vectors", cached, ".npy", cache),
        Kind("state of a training", state, ".safetensors", resume),
        Kind("joint map", joints, ".json", nothing(read_joint_map, joints)),
        Kind("list of shots", shots, ".json", nothing(_read_json, shots)),
        Kind("references", references, ".json", nothing(read_references, references)),
    ]


def _weights(network: nn.Module) -> list[Tensor]:
    return list(network.state_dict().values())


def _tensors(motion: Motion) -> list[Tensor]:
    return [motion.positions, motion.rotations, torch.tensor([motion.fps, motion.duration])]
