"""Training by several processes, as torchrun starts them.

Every process draws the batch of the whole job and takes its share (``batch_size`` windows each); the losses
are those of all shares (:mod:`motionclip.losses.distributed`), gradients are summed, and every process takes
the same step. So n processes give the loss curve of one process with n times the batch.

The gradients go in one flat all-reduce after the backward pass. DistributedDataParallel would overlap it with
that pass, but watches a module's ``forward`` where the objective calls ``encode`` and ``decode``, averages where
shares are summed, and must search for parameters that a configuration leaves without gradient. What is lost
is at most the time to send 4 bytes per parameter almost twice: by arithmetic, not measured, about 1 ms of a step
between GPUs of one machine with NVLink for the paper's 36 million, and as much as the step itself over slow links
(docs/training.md).
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import distributed as dist
from torch import nn
from torch.distributed.rendezvous import rendezvous

from motionclip.errors import ModelError
from motionclip.losses.distributed import exchanging

_ENVIRONMENT = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
#: Longest wait for another process within a step; the first one validates and saves between steps.
_STEP_TIMEOUT = timedelta(minutes=15)
#: Longest wait for work that one process does for all, such as embedding all rendered frames of a data set.
_PATIENCE = timedelta(hours=48)


@dataclass(frozen=True)
class DistributedContext:
    """This process among those of its job.

    Attributes:
        rank: its number; process 0 writes the run folder and prints.
        size: number of processes.
        local_rank: its number on its machine, and that of its GPU.
        patient: process group with a long timeout, while the job is joined.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    patient: dist.ProcessGroup | None = None

    @classmethod
    def from_environment(cls) -> DistributedContext:
        """Returns what torchrun set in the environment; a process that it did not start is alone."""
        if not all(name in os.environ for name in _ENVIRONMENT):
            return cls()
        rank, size, local_rank = (int(os.environ[name]) for name in _ENVIRONMENT)
        return cls(rank, size, local_rank)

    @property
    def first(self) -> bool:
        """Whether this process writes the run folder and prints."""
        return self.rank == 0

    def device(self, name: str) -> str:
        """Returns the device of this process: its own GPU for ``cuda``.

        Raises:
            ModelError: if the machine has fewer GPUs than processes.
        """
        if name != "cuda" or self.size == 1:
            return name
        if self.local_rank >= torch.cuda.device_count():
            raise ModelError(
                f"process {self.local_rank + 1} of this machine has no GPU, there are {torch.cuda.device_count()}; "
                "start as many with --nproc-per-node, or train with --device cpu"
            )
        return f"cuda:{self.local_rank}"

    @contextmanager
    def joined(self, device: str) -> Iterator[DistributedContext]:
        """Join the job's process group for the time of the block: NCCL between GPUs, else gloo.

        One that is there already is used and left: a script that trains several models must start it itself, for
        torch cannot start one twice (the second finds the addresses of the first). After an error the group is
        left to the end of the process: to close it could wait for the others.

        Raises:
            ProcessError: if the others cannot be reached.
        """
        if self.size == 1:
            yield self
            return
        is_cuda = device.startswith("cuda")
        if is_cuda:
            torch.cuda.set_device(device)
        is_new = not dist.is_initialized()
        with exchanging():
            if is_new:
                # Under keys of its own in torchrun's store: a job that torchrun restarts (`--max-restarts`) finds the
                # store of the attempt before, with the addresses of dead processes.
                store, rank, size = next(rendezvous("env://", timeout=_STEP_TIMEOUT))
                store = dist.PrefixStore(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"), store)  # type: ignore[attr-defined]
                backend = "nccl" if is_cuda else "gloo"
                dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=_STEP_TIMEOUT)
            group = dist.new_group(backend="gloo", timeout=_PATIENCE)
        yield dataclasses.replace(self, patient=group)
        self._wait(group)  # the model is whole when any process goes on
        dist.destroy_process_group(None if is_new else group)

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """Process 0 runs the block first, then one on each machine, then all others: what one caches, others find."""
        turn = 0 if self.first else 1 if self.local_rank == 0 else 2
        for _ in range(turn):
            self._wait(self.patient)
        yield
        for _ in range(2 - turn):
            self._wait(self.patient)

    def _wait(self, group: dist.ProcessGroup | None) -> None:
        if group is not None:
            with exchanging():
                dist.barrier(group)

    def shares(self, count: int) -> tuple[int, slice]:
        """Returns the rows that all processes draw alike, ``count`` for each, and which of them are this process's."""
        return count * self.size, slice(self.rank * count, (self.rank + 1) * count)

    def check_alike(self, value: str, what: str) -> None:
        """Compare a value with that of the other processes.

        Raises:
            ModelError: on all of them, if it differs.
        """
        if self.patient is None:
            return
        own = torch.tensor(int.from_bytes(hashlib.sha256(value.encode()).digest()[:7]))
        found = [torch.empty_like(own) for _ in range(self.size)]
        with exchanging():
            dist.all_gather(found, own, group=self.patient)
        if len({int(number) for number in found}) > 1:
            raise ModelError(f"the processes of this job do not have the same {what}")

    def share_weights(self, module: nn.Module) -> None:
        """Give every process the parameters and buffers of process 0."""
        if self.size > 1:
            for value in module.state_dict().values():
                with exchanging():
                    dist.broadcast(value, src=0)

    def sum_gradients(self, module: nn.Module) -> None:
        """Sum the gradients of all processes, which have the same ones."""
        if self.size == 1:
            return
        gradients = [parameter.grad for parameter in module.parameters() if parameter.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        with exchanging():
            dist.all_reduce(flat)
        parts = flat.split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))
