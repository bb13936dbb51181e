"""Carries a checkpoint of autoencoder or denoiser over to more latents, of which the first are those that it knows.

    python3 training/widen.py exported.pt widened.pt    # then --init widened.pt, of either trainer

Weights of the new latents start as zero: at first the network does what it did, and leaves them out. An encoder's last
layers, which may have other shapes, are the trainer's to begin anew. Not a trainer.
"""

import argparse
from pathlib import Path

import torch
from torch import Tensor

from autoencoder import CHANNELS


def spread(weight: Tensor, axis: int, places: list[int], size: int) -> Tensor:
    """A weight with `size` entries along `axis`, of which those at `places` are the old ones and the others zero."""
    shape = list(weight.shape)
    shape[axis] = size
    return torch.zeros(shape).index_copy(axis, torch.tensor(places), weight)


def input_places(old: int, new: int) -> list[int]:
    """Where the denoiser's input channels go (`denoiser.INPUT`): noisy, known, is known, picture, three flags."""
    starts = [0, new, 2 * new, 2 * new + 1, 3 * new + 1]
    counts = [old, old, 1, old, 3]
    return [start + i for start, count in zip(starts, counts) for i in range(count)]


def widen(weights: dict[str, Tensor], new: int = CHANNELS) -> dict[str, Tensor]:
    """A state dict of Autoencoder, or of the denoiser's Model, with `new` latents; ValueError where it has more."""
    first, last = "stem.conv_in.weight", "denoiser.conv_out.weight"
    out = dict(weights)
    old = weights[first].shape[1] if first in weights else weights[last].shape[0]
    if old > new:
        raise ValueError(f"the checkpoint has {old} latents, more than the {new} that it is to be widened to")
    if first in weights:
        out[first] = spread(weights[first], 1, list(range(old)), new)
        return out
    for name in (last, "denoiser.conv_out.bias"):
        out[name] = spread(weights[name], 0, list(range(old)), new)
    for name in ("denoiser.gates.weight", "denoiser.gates.bias"):
        out[name] = spread(weights[name], 0, [part * new + i for part in range(2) for i in range(old)], 2 * new)
    name = "denoiser.conv_in.weight"
    out[name] = spread(weights[name], 1, input_places(old, new), 3 * new + 4)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    args = parser.parse_args()
    state = torch.load(args.before, map_location="cpu", weights_only=True)
    weights = widen(state["ema"])
    torch.save({**{key: state[key] for key in ("latents",) if key in state}, "model": weights, "ema": weights}, args.after)


if __name__ == "__main__":
    main()
