"""New principal components under a trained network, for motions that its first ones did not see.

The components decide what a latent can hold. Replacing them changes what each coefficient means, so the rest of the
network is carried over: a linear map from the old coefficients c to the new ones z, and one back, are fitted to sample
windows and multiplied into the layers that read or write coefficients. Text latents u on the sphere have c = k u' / p
(:func:`~motionclip.model.network.from_sphere`: u' all numbers but the last, p the last), so that an affine map of
coefficients is a linear map of unnormalised latents. The maps are least-squares fits: training goes on from there.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from motionclip.model.autoencoder import EmbeddingHead
from motionclip.model.checkpoint import Network
from motionclip.model.features import Batch
from motionclip.model.network import ResidualAutoencoder, from_sphere, to_sphere
from motionclip.model.prior import LatentPrior


@dataclass(frozen=True)
class _Affine:
    """The map x -> x A + a of coefficients: A (N, N), a (N,)."""

    matrix: Tensor
    offset: Tensor

    @classmethod
    def fitted(cls, source: Tensor, target: Tensor) -> _Affine:
        """Returns the least-squares map of rows (B, N) to rows (B, N)."""
        ones = source.new_ones(len(source), 1)
        solution = torch.linalg.lstsq(torch.cat([source, ones], dim=1), target).solution
        return cls(solution[:-1], solution[-1])

    @property
    def of_latents(self) -> Tensor:
        """The map of unnormalised latents (N + 1, N + 1) that does the same to their coefficients."""
        size = len(self.offset)
        pole = to_sphere(self.offset.new_zeros(size))[-1]  # of the latent whose coefficients are 0, which is 1
        scale = from_sphere(torch.cat([self.offset.new_ones(1), self.offset.new_zeros(size - 1), pole[None]]))[0]
        matrix = torch.eye(size + 1).to(self.matrix)
        matrix[:size, :size] = self.matrix
        matrix[size, :size] = self.offset / scale
        return matrix


@torch.no_grad()
def renew_components(network: Network, batch: Batch) -> None:
    """Takes the principal components of sample windows, in place, and carries the rest of the network over to them.

    Feature statistics stay as they are.

    Args:
        network: of the residual architecture, with or without a prior.
        batch: windows; several times as many as the latent has numbers.
    """
    model = network.autoencoder
    assert isinstance(model, ResidualAutoencoder)
    before = model.components_of(batch)
    model.take_components(batch)
    after = model.components_of(batch)
    forth, back = _Affine.fitted(before, after), _Affine.fitted(after, before)
    _map_output(model.encoder.head, forth.matrix)
    for layer in model.decoder.layers.children():
        _map_input(layer.get_submodule("condition"), back)
    for head in (model.text_head, model.image_head):
        if isinstance(head, EmbeddingHead):
            _map_head(head, forth.of_latents)
    if network.prior is not None:
        _map_prior(network.prior, forth, back)


def _map_input(layer: nn.Module, map_: _Affine) -> None:
    """Makes a linear layer do to x what it did to the map's image of x."""
    assert isinstance(layer, nn.Linear)
    layer.bias.add_(layer.weight @ map_.offset)
    layer.weight.copy_(layer.weight @ map_.matrix.T)


def _map_output(layer: nn.Module, matrix: Tensor, offset: Tensor | float = 0.0) -> None:
    """Makes a linear layer give the image of what it gave."""
    assert isinstance(layer, nn.Linear)
    layer.bias.copy_(layer.bias @ matrix + offset)
    layer.weight.copy_(matrix.T @ layer.weight)


def _map_head(head: EmbeddingHead, matrix: Tensor) -> None:
    _map_output(head.linear, matrix)
    if head.down is not None:
        _map_output(head.down, matrix)


def _map_prior(prior: LatentPrior, forth: _Affine, back: _Affine) -> None:
    """Noise stays noise, as far as the maps are rotations: both spaces have unit variance."""
    prior.embed.weight.copy_(prior.embed.weight @ back.matrix.T)
    _map_output(prior.head, forth.matrix, forth.offset)
    first = prior.condition.get_parameter("0.weight")[:, : prior.latent_dim]
    first.copy_(first @ back.of_latents.T)
    prior.no_text.copy_(prior.no_text @ forth.of_latents)
