"""What shivers is smoothed away; ends, steady change and the length of a window are kept."""

import torch

from motionclip.model.postprocessing import smooth


def test_what_changes_its_sign_at_every_frame_vanishes_inside() -> None:
    shiver = torch.tensor([1.0, -1.0]).repeat(10).reshape(1, 20, 1)
    assert smooth(shiver, torch.tensor([20]))[0, 2:-2].abs().max() < 1e-6


def test_a_steady_change_is_kept_to_its_ends() -> None:
    ramp = torch.linspace(0, 3, 12)[None, :, None] * torch.tensor([1.0, -2.0])
    torch.testing.assert_close(smooth(ramp, torch.tensor([12])), ramp)


def test_ends_stay_where_they_are() -> None:
    values = torch.randn(2, 15, 3, generator=torch.Generator().manual_seed(0))
    made = smooth(values, torch.tensor([15, 15]))
    torch.testing.assert_close(made[:, [0, -1]], values[:, [0, -1]])


def test_a_window_is_the_same_alone_and_padded() -> None:
    values = torch.randn(2, 16, 3, generator=torch.Generator().manual_seed(0))
    padded = smooth(values, torch.tensor([16, 9]))
    torch.testing.assert_close(padded[1:, :9], smooth(values[1:, :9], torch.tensor([9])))
