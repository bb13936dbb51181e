"""What every training job shares: wall-clock learning-rate schedule, EMA, checkpoints, a log line a minute.

Progress is counted in seconds of training, not in steps, so that a job with a budget of 45 minutes ends with its
learning rate annealed however busy the machine was; a resumed job goes on from the seconds it had used.

Under `torchrun --nproc-per-node N` a step's batch is split over N processes and gradients are averaged. On a shared CPU
one process a core beats one process with a thread a core, which waits at every layer for the slower thread.
"""

import argparse
import copy
import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from data import data_dir, replacing

PAUSE = 30.0  # seconds that a step counts at most: one that took longer was stopped from outside
CHECKPOINT = 8 * 60.0  # seconds between two
WEIGHT_DECAY = 0.01
BFLOAT16 = torch.cpu.get_capabilities().get("avx512_bf16", False)  # absent on other architectures


def arguments(description: str, folder: str, minutes: float, weights: str = "model") -> argparse.ArgumentParser:
    """What every training job can be told; a job adds its own before it parses.

    `weights`: which of a checkpoint's it takes from --init, 'model' (of the last step) or 'ema' (the running average).
    """
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=minutes)
    parser.add_argument("--max-steps", type=int, default=10**9)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--out", type=Path, default=data_dir() / folder, help="of checkpoint and log; goes on from what is there")
    parser.add_argument("--init", type=Path, default=None,
                        help=f"checkpoint whose '{weights}' weights to start from, with a fresh schedule")
    return parser


def load_matching(module: nn.Module, weights: dict[str, torch.Tensor]) -> list[str]:
    """Loads what has the same name and shape; -> names of the parameters that keep their first values."""
    own = module.state_dict()
    known = {name: value for name, value in weights.items() if name in own and own[name].shape == value.shape}
    return module.load_state_dict(known, strict=False).missing_keys


class Muon(torch.optim.Optimizer):
    """Momentum orthogonalised by Newton-Schulz (Jordan et al. 2024), for weights of any rank >= 2, flattened to matrices.

    `torch.optim.Muon` takes matrices only; convolutions are most of what is trained here. The update has the RMS of
    AdamW's (0.2, Liu et al. 2025), so that both share one learning rate. Orthogonalising costs a third of a step's
    gradient, so each process does its share of the weights and all exchange the updates.
    """

    def __init__(self, params, lr: float, momentum: float = 0.95, weight_decay: float = WEIGHT_DECAY):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        rank, size = world()
        for group in self.param_groups:
            parameters = [p for p in group["params"] if p.grad is not None]
            updates = []
            for i, p in enumerate(parameters):
                state = self.state[p]
                buffer = state.setdefault("momentum", torch.zeros_like(p))
                buffer.lerp_(p.grad, 1 - group["momentum"])
                update = torch.zeros_like(p)
                if i % size == rank:
                    matrix = p.grad.lerp(buffer, group["momentum"]).flatten(1)
                    update.copy_((orthogonalise(matrix) * (0.2 * max(matrix.shape) ** 0.5)).view_as(p))
                updates.append(update)
            if size > 1:
                add_up(updates)
            for p, update in zip(parameters, updates):
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update, alpha=-group["lr"])


def orthogonalise(m: torch.Tensor, rounds: int = 5) -> torch.Tensor:
    """Quintic Newton-Schulz iteration towards the nearest matrix with orthonormal rows (or columns)."""
    x = m.T if m.shape[0] > m.shape[1] else m
    x = x / (x.norm() + 1e-7)
    if BFLOAT16:
        x = x.bfloat16()  # as its authors do: it needs no more
    for _ in range(rounds):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return (x.T if m.shape[0] > m.shape[1] else x).float()


def world() -> tuple[int, int]:
    """(rank, number of processes); joins the process group at the first call."""
    if "RANK" not in os.environ:
        return 0, 1
    if not dist.is_initialized():
        dist.init_process_group("gloo")
    return dist.get_rank(), dist.get_world_size()


def on_rank_0(make: Callable[[], object]) -> None:
    """Makes, in one process while the others wait, files that all read then."""
    rank, size = world()
    if rank == 0:
        make()
    if size > 1:
        dist.barrier()


def mixed_precision() -> torch.autocast:
    """bfloat16 for convolutions and products where the processor has it (twice the steps a second), else nothing."""
    return torch.autocast("cpu", torch.bfloat16, enabled=BFLOAT16)


def add_up(tensors: list[torch.Tensor], divisor: int = 1) -> None:
    """Sums over all processes, divided, in place."""
    flat = torch.cat([t.flatten() for t in tensors])
    dist.all_reduce(flat)
    flat /= divisor
    for t, total in zip(tensors, flat.split([t.numel() for t in tensors])):
        t.copy_(total.view_as(t))


class Loop:
    """for step in loop: loss = ...; loop.step(loss)"""

    def __init__(self, model: nn.Module, args: argparse.Namespace, extra: dict | None = None):
        """`args` as of `arguments`; `extra` is saved with every checkpoint."""
        self.model, self.folder, self.seconds = model, args.out, args.minutes * 60
        self.rank, self.size = world()
        self.lr, self.max_steps, self.extra = args.lr, args.max_steps, extra or {}
        self.folder.mkdir(parents=True, exist_ok=True)
        matrices = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
        vectors = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
        self.optimizers = [
            Muon(matrices, lr=self.lr),
            torch.optim.AdamW(vectors, lr=self.lr, betas=(0.9, 0.97), weight_decay=0.0),
        ]
        self.ema = copy.deepcopy(model).eval().requires_grad_(False)
        self.steps, self.used = 0, 0.0
        self.sums: dict[str, list[float]] = {}
        self.counted = 0
        self.resume()

    @property
    def progress(self) -> float:
        """0 at the start, 1 when the budget is spent."""
        return min(1.0, max(self.used / self.seconds, self.steps / self.max_steps))

    def __iter__(self):
        self.last = self.logged = self.saved = time.time()
        while self.progress < 1:
            yield self.steps
        self.save()

    def step(self, loss: torch.Tensor, **values: float) -> None:
        """A step against the gradient of `loss`, a scalar; it and `values` are logged, as means over a minute."""
        warm_up = min(1.0, (self.steps + 1) / 40)
        anneal = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * self.progress))
        self.model.zero_grad(set_to_none=True)
        loss.backward()
        now = time.time()
        self.used += min(now - self.last, PAUSE)
        self.last = now
        if self.size > 1:
            used = torch.tensor([self.used])  # all must stop, and change stage, at the same step
            # A layer that this process's batch did not use adds zero; one that nobody used is left alone below.
            parameters = [p for p in self.model.parameters() if p.requires_grad]
            for p in parameters:
                p.grad = torch.zeros_like(p) if p.grad is None else p.grad
            add_up([used, *(p.grad for p in parameters)], self.size)
            self.used = used.item()
            for p in parameters:
                p.grad = p.grad if p.grad.any() else None
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.lr * warm_up * anneal
            optimizer.step()
        self.steps += 1
        decay = min(0.9995, 1 - 1 / (0.1 * self.steps + 1))  # averages the last tenth of training at first
        get_ema_multi_avg_fn(decay)(list(self.ema.parameters()), list(self.model.parameters()), None)
        for name, value in {"loss": loss.item(), **values}.items():
            self.sums.setdefault(name, []).append(float(value))
        self.counted += 1
        now = time.time()
        if now - self.logged > 60:
            self.log(now)
        if now - self.saved > CHECKPOINT:
            self.save()
            self.saved = now

    def log(self, now: float) -> None:
        means = {name: round(sum(values) / len(values), 5) for name, values in self.sums.items()}
        line = {"minutes": round(self.used / 60, 1), "steps": self.steps,
                "steps_per_s": round(self.counted / (now - self.logged), 2), **means}
        self.note(line)
        self.sums, self.counted, self.logged = {}, 0, now

    def note(self, line: dict) -> None:
        if self.rank > 0:
            return
        print(json.dumps(line), flush=True)
        with open(self.folder / "log.jsonl", "a") as file:
            file.write(json.dumps(line) + "\n")

    def save(self) -> None:
        if self.rank > 0:
            return
        state = {"model": self.model.state_dict(), "ema": self.ema.state_dict(),
                 "optimizers": [optimizer.state_dict() for optimizer in self.optimizers], "steps": self.steps, "used": self.used, **self.extra}
        with replacing(self.folder / "checkpoint.pt") as draft:
            torch.save(state, draft)

    def resume(self) -> None:
        """From the folder's checkpoint, where there is one. Raises SystemExit where that has had its minutes or steps."""
        path = self.folder / "checkpoint.pt"
        if path.exists():
            if self.rank == 0:
                print(f"goes on from {path}, whatever --init names")
            state = torch.load(path, map_location="cpu", weights_only=True)
            self.model.load_state_dict(state["model"])
            self.ema.load_state_dict(state["ema"])
            for optimizer, saved in zip(self.optimizers, state["optimizers"]):
                optimizer.load_state_dict(saved)
            self.steps, self.used = state["steps"], state["used"]
            if self.progress >= 1:
                raise SystemExit(f"{path} has had its {self.seconds / 60:g} minutes or {self.max_steps} steps: ask for more, or name another --out")
