"""Synthetic motion: a still turned into an exact loop by a moving affine map, with words that name it.

It teaches motion words ("spinning", "dancing"), which the data set's own captions hardly name.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

TAU = 2 * math.pi
# name -> (words, phase in 0..1 -> (angle in radians, scale x, scale y, shift x, shift y in half-widths))
MOTIONS: dict[str, tuple[list[str], Callable[[float], tuple[float, float, float, float, float]]]] = {
    "spin": (["spinning", "rotating", "turning around"], lambda p: (TAU * p, 0.8, 0.8, 0, 0)),
    "sway": (["swaying", "swinging", "rocking"], lambda p: (0.3 * math.sin(TAU * p), 0.9, 0.9, 0, 0)),
    "bounce": (["bouncing", "jumping", "hopping"],
               lambda p: (0, 0.85 + 0.06 * math.cos(2 * TAU * p), 0.85 - 0.08 * math.cos(2 * TAU * p), 0,
                          0.14 - 0.3 * abs(math.sin(TAU * p)))),
    "shake": (["shaking", "trembling", "vibrating"], lambda p: (0.06 * math.sin(6 * TAU * p), 0.9, 0.9, 0.07 * math.sin(6 * TAU * p), 0)),
    "pulse": (["pulsing", "beating", "throbbing"], lambda p: (0, 0.82 + 0.13 * math.sin(2 * TAU * p), 0.82 + 0.13 * math.sin(2 * TAU * p), 0, 0)),
    "slide": (["sliding", "moving sideways"], lambda p: (0, 0.8, 0.8, 0.28 * math.sin(TAU * p), 0)),
    "float": (["floating", "hovering"], lambda p: (0.05 * math.sin(TAU * p), 0.88, 0.88, 0, 0.12 * math.sin(TAU * p))),
    "dance": (["dancing", "grooving"],
              lambda p: (0.25 * math.sin(2 * TAU * p), 0.82, 0.82 + 0.06 * math.cos(4 * TAU * p), 0.12 * math.sin(2 * TAU * p),
                         0.06 - 0.1 * abs(math.sin(2 * TAU * p)))),
    "flip": (["flipping", "twirling"], lambda p: (0, 0.88 * math.cos(TAU * p), 0.88, 0, 0)),
}


def animate(still: Tensor, motion: str, frames: int, phase: float = 0.0) -> Tensor:
    """still [4, H, W] premultiplied -> loop [T, 4, H, W]. `phase` in 0..1 moves the loop's start."""
    path = MOTIONS[motion][1]
    maps = []
    for i in range(frames):
        angle, sx, sy, dx, dy = path((i / frames + phase) % 1)
        sx = math.copysign(max(abs(sx), 0.05), sx)  # never edge on: a zero scale has no inverse
        c, s = math.cos(angle), math.sin(angle)
        # affine_grid maps output to input: undo the shift, then the rotation, then the scale
        maps.append([[c / sx, s / sx, -(c * dx + s * dy) / sx], [-s / sy, c / sy, (s * dx - c * dy) / sy]])
    grid = F.affine_grid(torch.tensor(maps), [frames, *still.shape], align_corners=False)
    return F.grid_sample(still.expand(frames, -1, -1, -1), grid, align_corners=False)
