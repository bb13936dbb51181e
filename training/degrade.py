"""Stickers as a visitor's hand or camera would give them: outlines, a few flat colours, blurred, small, grey, noisy, on paper.

The denoiser learns to draw the sticker that such a picture means: one network that colours, restores and completes
(Palette, Saharia et al. 2022), given latents of what `degrade` makes.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

LUMA = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
SCALES = [2, 4, 8]  # a small picture has so many pixels fewer, each way


def degrade(picture: Tensor, rng: np.random.Generator) -> Tensor:
    """picture [4, H, W], premultiplied, 0..1 -> the same kind of thing, worse."""
    if rng.random() < 0.5:
        picture = warped(picture, 0.05 * rng.random(), rng)
    kind = rng.choice(["outline", "flat", "small", "noisy"], p=[0.25, 0.35, 0.25, 0.15])
    if kind == "outline":
        picture = outline(picture, rng.uniform(2, 6))
    elif kind == "flat":
        picture = flat(picture, int(rng.integers(2, 8)), rng)
    elif kind == "small":
        picture = small(picture, int(rng.choice(SCALES)), smooth=rng.random() < 0.5)
    else:
        noise = torch.from_numpy(rng.normal(size=picture.shape)).float()
        picture = premultiplied(picture + 0.25 * rng.random() * noise)
    if rng.random() < 0.25:
        picture = torch.cat([(picture[:3] * LUMA).sum(0, keepdim=True).expand(3, -1, -1), picture[3:]])
    return on_paper(picture, rng.uniform(0.9, 1, 3)) if rng.random() < 0.4 else picture


def premultiplied(picture: Tensor) -> Tensor:
    """Within what is possible: no colour brighter than alpha lets it be."""
    alpha = picture[3:].clamp(0, 1)
    return torch.cat([picture[:3].clamp(min=0).minimum(alpha), alpha])


def warped(picture: Tensor, amount: float, rng: np.random.Generator) -> Tensor:
    """Bent smoothly, as by an unsteady hand; `amount` is the standard deviation in half-widths."""
    bend = torch.from_numpy(rng.normal(size=(1, 2, 5, 5))).float() * amount
    bend = F.interpolate(bend, picture.shape[1:], mode="bicubic", align_corners=True)
    grid = F.affine_grid(torch.eye(2, 3)[None], [1, *picture.shape], align_corners=False) + bend.movedim(1, -1)
    return F.grid_sample(picture[None], grid, align_corners=False)[0]


def small(picture: Tensor, scale: int, smooth: bool) -> Tensor:
    """Shrunk and enlarged again, smoothly or in squares."""
    shrunk = F.avg_pool2d(picture[None], scale)
    mode = {"mode": "bilinear", "align_corners": False} if smooth else {"mode": "nearest"}
    return F.interpolate(shrunk, picture.shape[1:], **mode)[0]


def flat(picture: Tensor, colours: int, rng: np.random.Generator, rounds: int = 4) -> Tensor:
    """Without small parts, and in so many colours besides nothing (k-means)."""
    smooth = small(picture, 4, smooth=True)
    pixels = smooth.flatten(1).T
    inside = pixels[pixels[:, 3] > 0.5]
    if len(inside) == 0:
        return smooth
    centres = torch.cat([torch.zeros(1, 4), inside[rng.integers(len(inside), size=colours)]])
    for _ in range(rounds):
        nearest = torch.cdist(pixels, centres).argmin(1)
        for i in range(1, len(centres)):
            if (nearest == i).any():
                centres[i] = pixels[nearest == i].mean(0)
                centres[i] = torch.cat([centres[i, :3] / centres[i, 3].clamp(min=0.1), torch.ones(1)])
    return premultiplied(centres[torch.cdist(pixels, centres).argmin(1)].T.view_as(picture))


def outline(picture: Tensor, strength: float) -> Tensor:
    """Dark lines on nothing, where brightness or alpha changes."""
    seen = torch.stack([(picture[:3] * LUMA).sum(0), picture[3]])
    edges = (F.max_pool2d(seen[None], 3, 1, 1) + F.max_pool2d(-seen[None], 3, 1, 1))[0].amax(0)
    line = (strength * edges - 0.3).clamp(0, 1)
    return torch.cat([0.1 * line.expand(3, -1, -1), line[None]])


def on_paper(picture: Tensor, colour: np.ndarray) -> Tensor:
    paper = torch.from_numpy(colour).float().view(3, 1, 1)
    return torch.cat([picture[:3] + (1 - picture[3:]) * paper, torch.ones_like(picture[3:])])
