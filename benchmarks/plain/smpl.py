"""SMPL's skin as its authors' formulas say it: shape and pose blend shapes, then four by four matrices per vertex.

The model's arrays are random, of SMPL's sizes (6,890 vertices, 24 joints, 10 shapes, 207 pose blend shapes).
Loper et al., "SMPL", SIGGRAPH Asia 2015, section 3.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

VERTICES, JOINTS, SHAPES = 6890, 24, 10
PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)


def sixd_to_matrix(sixd: Tensor) -> Tensor:
    """6D rotations (..., 6) to matrices (..., 3, 3): Zhou et al., CVPR 2019."""
    first = F.normalize(sixd[..., :3], dim=-1)
    second = F.normalize(sixd[..., 3:] - (first * sixd[..., 3:]).sum(dim=-1, keepdim=True) * first, dim=-1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=-1)


class Smpl(nn.Module):
    """Local rotations (N, 24, 3, 3) to vertices (N, 6890, 3), root joint at the origin, shape given by ``betas``."""

    def __init__(self) -> None:
        super().__init__()
        weights = torch.rand(VERTICES, JOINTS) ** 8
        regressor = torch.rand(JOINTS, VERTICES) ** 8
        self.register_buffer("template", torch.randn(VERTICES, 3) * 0.3)
        self.register_buffer("shapes", torch.randn(VERTICES, 3, SHAPES) * 0.01)
        self.register_buffer("poses", torch.randn(9 * (JOINTS - 1), VERTICES * 3) * 1e-3)
        self.register_buffer("weights", weights / weights.sum(dim=1, keepdim=True))
        self.register_buffer("regressor", regressor / regressor.sum(dim=1, keepdim=True))

    def forward(self, rotations: Tensor, betas: Tensor) -> Tensor:
        shaped = self.template + torch.einsum("nl,vkl->nvk", betas, self.shapes)
        joints = torch.einsum("jv,nvk->njk", self.regressor, shaped)
        bends = (rotations[:, 1:] - torch.eye(3, device=rotations.device)).flatten(1)
        posed = shaped + (bends @ self.poses).view(-1, VERTICES, 3)
        transforms = relative_transforms(rotations, joints)
        blended = (self.weights.expand(len(rotations), -1, -1) @ transforms.flatten(2)).view(-1, VERTICES, 4, 4)
        vertices = (blended @ F.pad(posed, (0, 1), value=1.0)[..., None])[:, :, :3, 0]
        return vertices - joints[:, :1]


def relative_transforms(rotations: Tensor, joints: Tensor) -> Tensor:
    """Local rotations (N, 24, 3, 3) and rest joints (N, 24, 3) to transforms (N, 24, 4, 4) relative to rest."""
    offsets = torch.cat([joints[:, :1], joints[:, 1:] - joints[:, list(PARENTS[1:])]], dim=1)
    local = F.pad(torch.cat([rotations, offsets[..., None]], dim=-1), (0, 0, 0, 1))
    local = local + torch.diag(torch.tensor([0.0, 0.0, 0.0, 1.0], device=local.device))
    chain = [local[:, 0]]
    for joint, parent in enumerate(PARENTS[1:], start=1):
        chain.append(chain[parent] @ local[:, joint])
    world = torch.stack(chain, dim=1)
    moved = world @ F.pad(joints, (0, 1))[..., None]
    return world - F.pad(moved, (3, 0))
