"""What every training job shares: wall-clock learning-rate schedule, EMA, checkpoints, a log line a minute.

Progress is counted in seconds of training, not in steps, so that a job with a budget of 45 minutes ends with its
learning rate annealed however busy the machine was; a resumed job goes on from the seconds it had used.
"""

import copy
import json
import math
import time
from pathlib import Path

import torch
from torch import nn


PAUSE = 30.0  # seconds: a step that took longer was stopped from outside, and its time is not training


class Muon(torch.optim.Optimizer):
    """Momentum orthogonalised by Newton-Schulz (Jordan et al. 2024), for weights of any rank >= 2, flattened to matrices.

    `torch.optim.Muon` takes matrices only; convolutions are most of what is trained here. The update has the RMS of
    AdamW's (0.2, Liu et al. 2025), so that both share one learning rate.
    """

    def __init__(self, params, lr: float, momentum: float = 0.95, weight_decay: float = 0.01):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                buffer = state.setdefault("momentum", torch.zeros_like(p))
                buffer.lerp_(p.grad, 1 - group["momentum"])
                update = p.grad.lerp(buffer, group["momentum"]).flatten(1)
                update = orthogonalise(update) * (0.2 * max(update.shape) ** 0.5)
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update.view_as(p), alpha=-group["lr"])


def orthogonalise(m: torch.Tensor, rounds: int = 5) -> torch.Tensor:
    """Quintic Newton-Schulz iteration towards the nearest matrix with orthonormal rows (or columns)."""
    x = m.T if m.shape[0] > m.shape[1] else m
    x = x / (x.norm() + 1e-7)
    for _ in range(rounds):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.T if m.shape[0] > m.shape[1] else x


class Loop:
    """for step in loop: loss = ...; loop.step(loss)"""

    def __init__(self, model: nn.Module, folder: Path, minutes: float, lr: float, max_steps: int = 10**9,
                 weight_decay: float = 0.01, checkpoint_minutes: float = 8.0, extra: dict | None = None):
        self.model, self.folder, self.seconds = model, folder, minutes * 60
        self.lr, self.max_steps, self.checkpoint_seconds = lr, max_steps, checkpoint_minutes * 60
        self.extra = extra or {}  # saved with every checkpoint
        folder.mkdir(parents=True, exist_ok=True)
        matrices = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
        vectors = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
        self.optimizers = [
            Muon(matrices, lr=lr, weight_decay=weight_decay),
            torch.optim.AdamW(vectors, lr=lr, betas=(0.9, 0.97), weight_decay=0.0),
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
        warm_up = min(1.0, (self.steps + 1) / 100)
        anneal = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * self.progress))
        self.model.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.lr * warm_up * anneal
            optimizer.step()
        self.steps += 1
        decay = min(0.9995, 1 - 1 / (0.1 * self.steps + 1))  # averages the last tenth of training at first
        with torch.no_grad():
            source = [p for p in self.model.parameters()]
            target = [p for p in self.ema.parameters()]
            torch._foreach_lerp_(target, source, 1 - decay)
        for name, value in {"loss": loss.item(), **values}.items():
            self.sums.setdefault(name, []).append(float(value))
        self.counted += 1
        now = time.time()
        self.used += min(now - self.last, PAUSE)
        self.last = now
        if now - self.logged > 60:
            self.log(now)
        if now - self.saved > self.checkpoint_seconds:
            self.save()
            self.saved = now

    def log(self, now: float) -> None:
        means = {name: round(sum(values) / len(values), 5) for name, values in self.sums.items()}
        line = {"minutes": round(self.used / 60, 1), "steps": self.steps,
                "steps_per_s": round(self.counted / (now - self.logged), 2), **means}
        self.note(line)
        self.sums, self.counted, self.logged = {}, 0, now

    def note(self, line: dict) -> None:
        print(json.dumps(line), flush=True)
        with open(self.folder / "log.jsonl", "a") as file:
            file.write(json.dumps(line) + "\n")

    def save(self) -> None:
        state = {"model": self.model.state_dict(), "ema": self.ema.state_dict(),
                 "optimizers": [optimizer.state_dict() for optimizer in self.optimizers], "steps": self.steps, "used": self.used, **self.extra}
        torch.save(state, self.folder / "new.pt")
        (self.folder / "new.pt").replace(self.folder / "checkpoint.pt")

    def resume(self) -> None:
        path = self.folder / "checkpoint.pt"
        if path.exists():
            state = torch.load(path, map_location="cpu", weights_only=True)
            self.model.load_state_dict(state["model"])
            self.ema.load_state_dict(state["ema"])
            for optimizer, saved in zip(self.optimizers, state["optimizers"]):
                optimizer.load_state_dict(saved)
            self.steps, self.used = state["steps"], state["used"]
