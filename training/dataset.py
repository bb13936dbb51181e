"""Reads the decoded stickers that `data.py` wrote, and draws balanced random items. Not captions (`captions.py`)."""

import copy
import json
from pathlib import Path

import numpy as np
from torch import Tensor

from data import SIZE


class Stickers:
    """Clips and stills, in memory (5 GB for the whole data set); `split` is 'train' or 'held_out'."""

    def __init__(self, root: Path, split: str = "train"):
        self.index = json.loads((root / "index.json").read_text())
        self.clips = np.load(root / "clips.npy")  # not mapped: random reads from disk starve training
        self.stills = np.load(root / "stills.npy")
        self.select(split)

    def part(self, split: str) -> "Stickers":
        """Another split of the same arrays."""
        other = copy.copy(self)
        other.select(split)
        return other

    def select(self, split: str) -> None:
        def wanted(row: dict) -> bool:
            return row["held_out"] == (split == "held_out")

        self.clip_rows = [(i, row) for i, row in enumerate(self.index["clips"]) if wanted(row)]
        self.still_rows = [(i, row) for i, row in enumerate(self.index["stills"]) if wanted(row)]
        self.clip_groups = group_by_name(self.clip_rows)
        self.still_groups = group_by_name([pair for pair in self.still_rows if not pair[1]["flag"]])
        self.flag_groups = group_by_name([pair for pair in self.still_rows if pair[1]["flag"]])

    def draw_clip(self, rng: np.random.Generator) -> tuple[int, dict]:
        return choose(self.clip_groups, rng)

    def draw_still(self, rng: np.random.Generator) -> tuple[int, dict]:
        """Flags are a fifth of the stills and all alike: they are drawn seldom."""
        few = self.flag_groups and rng.random() < 0.05
        return choose(self.flag_groups if few else self.still_groups, rng)


def group_by_name(pairs: list[tuple[int, dict]]) -> list[list[tuple[int, dict]]]:
    """Skin-tone variants share one group, so that a name counts once however many tones it has."""
    groups: dict[str, list] = {}
    for pair in pairs:
        groups.setdefault(pair[1]["name"], []).append(pair)
    return list(groups.values())


def choose(groups: list, rng: np.random.Generator) -> tuple[int, dict]:
    group = groups[rng.integers(len(groups))]
    return group[rng.integers(len(group))]


def ping_pong(clip: np.ndarray | Tensor, frames: int, rng: np.random.Generator) -> np.ndarray | Tensor:
    """A window of a loop played forth and back: a true loop of `frames` frames at the real speed."""
    half = frames // 2 + 1
    start = rng.integers(len(clip))
    window = [(start + i) % len(clip) for i in range(half)]
    return clip[window + window[-2:0:-1]]


def jitter(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mirrors and shifts a whole clip [T, H, W, 4] by up to 12 pixels; what enters is transparent."""
    if rng.random() < 0.5:
        frames = frames[:, :, ::-1]
    dy, dx = rng.integers(-12, 13, 2)
    padded = np.pad(frames, ((0, 0), (12, 12), (12, 12), (0, 0)))
    return padded[:, 12 + dy : 12 + dy + SIZE, 12 + dx : 12 + dx + SIZE]
