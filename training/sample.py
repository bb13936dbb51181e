"""Draws stickers from prompts in PyTorch and lays them out in a PNG: for looking at, while training goes on.

    python3 training/sample.py --out sheet.png "a cat" "red heart"       # pictures
    python3 training/sample.py --clips --out sheet.png "a dancing cat"   # one row of frames a clip
"""

import argparse
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from autoencoder import Autoencoder
from checkpoint import load_model
from data import data_dir
from denoiser import LATENT, clip_conditions, picture_conditions
from judge import over
from sampling import MOTION, SHIFT, encode, flow_euler, times, velocity_of
from text import Tokenizer
from train_denoiser import Model

PROMPTS = [
    "red heart", "grinning face", "cat", "dog face", "rocket", "octopus", "red apple", "pizza", "a dancing cat", "robot",
    "sun", "snowman", "birthday cake", "car", "flower", "fish", "ghost", "woman, dark skin", "soccer ball", "house",
    "star", "elephant", "guitar", "hamburger",
]


@torch.no_grad()
def sample(model: Model, texts: list[str], tokenizer: Tokenizer, steps: int, guidance: float, seed: int,
           latent_frames: int = 1, picture: Tensor | None = None) -> Tensor:
    """Flow Euler -> normalised latents [B, T, 40, 16, 16]. With `picture` [B, 40, 16, 16], a clip."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(len(texts), latent_frames, LATENT, 16, 16, generator=generator)
    prompts, empty = (encode(model.text, tokenizer, asked) for asked in (texts, [""] * len(texts)))
    conditions = picture_conditions(x) if picture is None else clip_conditions(x, picture)
    motion = torch.tensor([0.0, 0.0] if picture is None else [MOTION, 1.0]).expand(len(texts), 2)
    velocity = velocity_of(model.denoiser, prompts, empty, motion, conditions, guidance)
    return flow_euler(velocity, x, times(steps, SHIFT))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("prompts", nargs="*", default=PROMPTS)
    parser.add_argument("--clips", action="store_true")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--guidance", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--denoiser", type=Path, default=data_dir() / "denoiser" / "checkpoint.pt")
    parser.add_argument("--autoencoder", type=Path, default=data_dir() / "autoencoder" / "checkpoint.pt")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    model, mean, std = load_model(args.denoiser, data_dir())
    autoencoder = Autoencoder().eval()
    autoencoder.load_state_dict(torch.load(args.autoencoder, map_location="cpu", weights_only=True)["ema"])
    tokenizer = Tokenizer()
    z = sample(model, args.prompts, tokenizer, args.steps, args.guidance, args.seed)
    if args.clips:
        z = sample(model, args.prompts, tokenizer, args.steps, 1.0, args.seed + 1, 9, z[:, 0])
    with torch.no_grad():
        frames = over(torch.cat([autoencoder.decode(clip[None] * std + mean) for clip in z]))
    tiles = frames[:, ::4] if args.clips else frames[:, 0].unflatten(0, (-1, min(8, len(z)))) if len(z) % 8 == 0 else frames[:, :1]
    sheet = torch.cat([torch.cat(list(row), dim=2) for row in tiles], dim=1)
    Image.fromarray((sheet.permute(1, 2, 0) * 255).byte().numpy()).save(args.out)


if __name__ == "__main__":
    main()
