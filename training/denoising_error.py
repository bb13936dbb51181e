"""How far a denoiser's picture is from the true one at each time, for training pictures and clips: what is limited by the noise
falls with it, what is limited by the network does not. It samples nothing; see `evaluate.py` for that.

    python3 training/denoising_error.py $FLIPBOOK_DATA/denoiser/checkpoint.pt     # half a minute
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from captions import label
from checkpoint import load_model
from data import data_dir
from denoiser import OUTLINE, clip_conditions, picture_conditions
from loop import mixed_precision
from text import Tokenizer, trimmed
from train_denoiser import Model

TIMES = (0.97, 0.9, 0.73, 0.53, 0.3, 0.1)
PICTURES, CLIPS = 32, 10


@torch.no_grad()
def errors(model: Model, x0: Tensor, texts: list[str], conditions: Callable[[Tensor], Tensor]) -> list[tuple[float, float]]:
    """Mean square errors of OUTLINE and of detail at each of TIMES; x0 [B, T, 40, 16, 16], normalised."""
    tokens, mask = trimmed(*Tokenizer()(texts))
    found = []
    with mixed_precision():
        context, pooled = model.text(tokens, mask)
        for t in TIMES:
            noise = torch.randn(x0.shape, generator=torch.Generator().manual_seed(int(1000 * t)))
            x = (1 - t) * x0 + t * noise
            times, motion = torch.full((len(x0),), t), torch.zeros(len(x0), 2)
            velocity = model.denoiser(x, times, context, mask, pooled, motion, conditions(x)).float()
            error = (x - t * velocity - x0).square()
            found.append((error[:, :, :OUTLINE].mean().item(), error[:, :, OUTLINE:].mean().item()))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoint", type=Path)
    args = parser.parse_args()
    root, rng = data_dir(), np.random.default_rng(5)
    stored = torch.load(root / "latents.pt", weights_only=True, mmap=True)
    model, mean, std = load_model(args.checkpoint, root)

    def draw(rows: list[dict], count: int) -> list[int]:
        """Of what is not in made-up motion."""
        return rng.choice([i for i, row in enumerate(rows) if "motion_name" not in row], count, replace=False).tolist()

    def normalised(key: str, rows: list[int]) -> Tensor:
        return (stored[key][rows].float() - mean) / std

    pictures, clips = draw(stored["picture_rows"], PICTURES), draw(stored["clip_rows"], CLIPS)
    first = normalised("anchors", clips)[:, 0]
    x0 = {"pictures": normalised("pictures", pictures)[:, None], "clips": normalised("clips", clips)}
    of_pictures = errors(model, x0["pictures"], [label(stored["picture_rows"][i]) for i in pictures], picture_conditions)
    of_clips = errors(model, x0["clips"], [label(stored["clip_rows"][i]) for i in clips],
                      lambda x: clip_conditions(x, first))
    print("time   pictures: outline, detail   clips: outline, detail")
    for t, picture, clip in zip(TIMES, of_pictures, of_clips):
        print(f"{t:.2f}   {picture[0]:17.3f} {picture[1]:7.3f} {clip[0]:16.3f} {clip[1]:7.3f}")
    print("their own variance:", *(f"{name} {x[:, :, :OUTLINE].var():.3f}, {x[:, :, OUTLINE:].var():.3f}" for name, x in x0.items()))


if __name__ == "__main__":
    main()
