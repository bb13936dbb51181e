"""Mixes an autoencoder's latents linearly, so that they come as near to those of an older one as they can. No training.

    python3 training/align.py OLD NEW aligned.pt    # checkpoints; then latents.py --checkpoint aligned.pt --keep DENOISER

An encoder that trains on drifts, for the most part linearly. The mixing goes into its last layer and the inverse into the
decoder's first one: images stay what they were, and a denoiser that knows the old latents has little left to learn anew.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from autoencoder import CHANNELS, TIME, Autoencoder
from data import FRAMES, data_dir, to_float
from dataset import Stickers
from loop import mixed_precision
from train_autoencoder import Kept, ema

LOOPS = 100  # of 36 frames, and as many stills: half a million latents


@torch.no_grad()
def latents_of(old: Kept, new: Autoencoder, stickers: Stickers, loops: int) -> tuple[Tensor, Tensor]:
    """[N, 40] of either encoder for the same things."""
    rng = np.random.default_rng(0)
    pairs: tuple[list[Tensor], list[Tensor]] = ([], [])
    for _ in range(loops):
        clip, still = stickers.clips[stickers.draw_clip(rng)[0]], stickers.stills[stickers.draw_still(rng)[0]]
        for rgba in (to_float(clip)[None, :FRAMES], to_float(still[None]).expand(1, TIME, -1, -1, -1)):
            with mixed_precision():
                for rows, z in zip(pairs, (old(rgba), new.encoder.encode(rgba))):
                    rows.append(z.float().movedim(2, -1).flatten(0, -2))
    return torch.cat(pairs[0]), torch.cat(pairs[1])


def mixing(old: Tensor, new: Tensor) -> Tensor:
    """[40, 40] M with the least squares of (old - mean) - (new - mean) M; both [N, 40]."""
    centred = (new - new.mean(0)).double()
    return torch.linalg.lstsq(centred, (old - old.mean(0)).double()).solution.float()


def mixed(weights: dict[str, Tensor], m: Tensor) -> dict[str, Tensor]:
    """The autoencoder whose latents are z M, where they were z: what it decodes is the same."""
    inverse = torch.linalg.inv(m.double()).float()
    last = [f"encoder.{name}conv_out" for name in ("", "refiner.")]
    return {
        **weights,
        **{f"{name}.weight": torch.einsum("ihwk,io->ohwk", weights[f"{name}.weight"], m) for name in last},
        **{f"{name}.bias": weights[f"{name}.bias"] @ m for name in last},
        "stem.conv_in.weight": torch.einsum("pihw,oi->pohw", weights["stem.conv_in.weight"], inverse),
    }


def unlike(old: Tensor, new: Tensor) -> float:
    """Share of the old latents' variance that the new ones are off by, mean over channels."""
    off = (new - new.mean(0)) - (old - old.mean(0))
    return (off.square().mean(0) / old.var(0)).mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name, text in (("old", "checkpoint whose latents are known"), ("new", "checkpoint to align"), ("out", "file to write")):
        parser.add_argument(name, type=Path, help=text)
    parser.add_argument("--loops", type=int, default=LOOPS)
    args = parser.parse_args()
    weights = ema(args.new)
    model = Autoencoder().to(memory_format=torch.channels_last).eval()
    model.load_state_dict(weights)
    known = Kept(args.old)
    if known.channels != CHANNELS:
        parser.error(f"{args.old} has {known.channels} latents, {args.new} has {CHANNELS}: widen.py is for that")
    old, new = latents_of(known, model, Stickers(data_dir(), "train"), args.loops)
    m = mixing(old, new)
    torch.save({"ema": mixed(weights, m)}, args.out)
    print(f"off by {100 * unlike(old, new):.1f} % of their variance before, {100 * unlike(old, new @ m):.1f} % after")


if __name__ == "__main__":
    main()
