"""The moving average of weights forgets where a run began, however short it is, and holds on later."""

import torch
from torch import nn

from motionclip.training.learner import average_of


def followed(steps: int, decay: float) -> float:
    """The average of a weight that is 0 at the first step and 1 at all others."""
    module = nn.Linear(1, 1, bias=False)
    average = average_of(module, decay)
    assert average is not None
    for step in range(steps):
        nn.init.constant_(module.weight, float(step > 0))
        average.update_parameters(module)
    return average.module.weight.item()


def test_a_short_run_keeps_little_of_its_start() -> None:
    assert followed(100, 0.999) > 0.999


def test_late_in_a_run_the_average_moves_by_what_the_decay_leaves() -> None:
    module = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(module.weight)
    average = average_of(module, 0.9)
    assert average is not None
    for _ in range(200):
        average.update_parameters(module)
    nn.init.ones_(module.weight)
    average.update_parameters(module)
    torch.testing.assert_close(average.module.weight, torch.tensor([[0.1]]))


def test_without_decay_there_is_none() -> None:
    assert average_of(nn.Linear(1, 1), 0.0) is None
