"""Draws stickers from prompts in PyTorch and lays them out in a PNG: for looking at, while training goes on.

    python3 training/sample.py --out sheet.png "a cat" "red heart"       # pictures
    python3 training/sample.py --clips --out sheet.png "a dancing cat"   # one row of frames a clip
"""

import argparse
from pathlib import Path

import torch
from PIL import Image

from autoencoder import Autoencoder
from checkpoint import load_model
from data import data_dir
from denoiser import LATENT
from judge import over
from sampling import MOTION, SHIFT, STREAMS, draw, noise, times
from text import Tokenizer

PROMPTS = [
    "red heart", "grinning face", "cat", "dog face", "rocket", "octopus", "red apple", "pizza", "a dancing cat", "robot",
    "sun", "snowman", "birthday cake", "car", "flower", "fish", "ghost", "woman, dark skin", "soccer ball", "house",
    "star", "elephant", "guitar", "hamburger",
]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("prompts", nargs="*", default=PROMPTS)
    parser.add_argument("--clips", action="store_true")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--guidance", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0, help="of the first; each has the one after the last's")
    parser.add_argument("--denoiser", type=Path, default=data_dir() / "denoiser" / "checkpoint.pt")
    parser.add_argument("--autoencoder", type=Path, default=data_dir() / "autoencoder" / "checkpoint.pt")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    model, mean, std = load_model(args.denoiser, data_dir())
    autoencoder = Autoencoder().eval()
    autoencoder.load_state_dict(torch.load(args.autoencoder, map_location="cpu", weights_only=True)["ema"])
    drawn_by = model.denoiser, model.text, Tokenizer(), args.prompts
    seeds, levels = [args.seed + i for i in range(len(args.prompts))], times(args.steps, SHIFT)
    z = draw(*drawn_by, noise(seeds, STREAMS["picture"], 1, LATENT, 16, 16), levels, args.guidance, None)
    if args.clips:
        z = draw(*drawn_by, noise(seeds, STREAMS["clip"], 9, LATENT, 16, 16), levels, 1.0, MOTION, z[:, 0])
    with torch.no_grad():
        frames = over(torch.cat([autoencoder.decode(clip[None] * std + mean) for clip in z]))
    if args.clips:
        tiles = frames[:, ::4]
    elif len(z) % 8 == 0:
        tiles = frames[:, 0].unflatten(0, (-1, 8))
    else:
        tiles = frames[:, :1]
    sheet = torch.cat([torch.cat(list(row), dim=2) for row in tiles], dim=1)
    Image.fromarray((sheet.permute(1, 2, 0) * 255).byte().numpy()).save(args.out)


if __name__ == "__main__":
    main()
