"""Loads a denoiser's checkpoint to draw with it. Not for training on (`loop.py`), nor the exported model (`shipped.py`)."""

from pathlib import Path

import torch
from torch import Tensor

from train_denoiser import Model
from vocabulary import load_table


def load_model(checkpoint: Path, root: Path) -> tuple[Model, Tensor, Tensor]:
    """-> the averaged weights, frozen, and the mean and std [40, 1, 1] of the latents that they were trained on.

    `root`: the data's folder, for the token table.
    """
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    model = Model(load_table(root)).eval().requires_grad_(False)
    model.load_state_dict(state["ema"])
    mean, std = (state["latents"][name].view(-1, 1, 1) for name in ("mean", "std"))
    return model, mean, std
