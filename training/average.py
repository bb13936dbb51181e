"""Averages the weights of two checkpoints of one network, one trained on from the other (model soups, Wortsman et al. 2022).

    python3 training/average.py --share 0.6 --out mean.pt before.pt after.pt   # 0.4 of before, 0.6 of after

An hour of mostly clips makes clips better and pictures worse; between the two ends lie weights that keep most of both.
"""

import argparse
from pathlib import Path

import torch
from torch import Tensor


def average(before: dict[str, Tensor], after: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """`share` of `after` and the rest of `before`; ValueError where they are not of one network."""
    if {k: v.shape for k, v in before.items()} != {k: v.shape for k, v in after.items()}:
        raise ValueError("the two checkpoints are not of the same network: their weights differ in name or shape")
    return {name: torch.lerp(before[name], value, share) for name, value in after.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--share", type=float, default=0.5, help="of the second, 0 to 1")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    before, after = (torch.load(path, map_location="cpu", weights_only=True) for path in (args.before, args.after))
    latents = after.get("latents")  # an autoencoder's checkpoint has none
    for name in latents or ():
        if not torch.equal(before["latents"][name], latents[name]):
            parser.error("the two checkpoints were trained on latents of different autoencoders")
    ema = average(before["ema"], after["ema"], args.share)
    torch.save({"model": ema, "ema": ema, **({"latents": latents} if latents else {})}, args.out)


if __name__ == "__main__":
    main()
