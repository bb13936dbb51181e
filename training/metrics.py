"""Measures of samples: pure functions of arrays and tensors, tested against closed forms in test_metrics.py. No model in here."""

import numpy as np
import torch
from torch import Tensor

VISIBLE = 0.05  # alpha above which a pixel belongs to the sticker


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)) of Gaussians fitted to rows [N, D] (Heusel et al. 2017, FID).

    The trace of the root is taken from the eigenvalues of a symmetric product, so that it is real whatever the rank.
    """
    mean = a.mean(0) - b.mean(0)
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    values, vectors = np.linalg.eigh(np.atleast_2d(ca))
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    product = np.linalg.eigvalsh(root @ np.atleast_2d(cb) @ root)
    return float(mean @ mean + np.trace(np.atleast_2d(ca)) + np.trace(np.atleast_2d(cb)) - 2 * np.sqrt(product.clip(0)).sum())


def retrieval(videos: Tensor, texts: Tensor, answers: Tensor, top: int = 10) -> Tensor:
    """videos [N, D], texts [M, D], answers [N] (the row of texts that is right) -> hits [N]: is it among the `top` nearest?"""
    scores = videos @ texts.T
    right = scores.gather(1, answers[:, None])
    return (scores > right).sum(1) < top


def changes(clip: Tensor) -> Tensor:
    """Mean absolute change from each frame to the next on the circle, clip [T, 4, H, W] -> [T]; the last is the seam."""
    return (clip.roll(-1, 0) - clip).abs().mean((1, 2, 3))


def motion(clip: Tensor) -> dict[str, float]:
    """What describes a loop [T, 4, H, W] in motion.

    amount: mean change between neighbours over pixels that are ever visible. seam and inner:
    the change from the last frame to the first, and the mean of the others. flicker: mean absolute second difference in
    time, over visible pixels: large where pixels go forth and back from frame to frame.
    """
    step = changes(clip)
    visible = max(1e-3, (clip[:, 3].amax(0) > VISIBLE).float().mean().item())
    second = clip.roll(-1, 0) - 2 * clip + clip.roll(1, 0)
    return {"amount": step.mean().item() / visible, "seam": step[-1].item(), "inner": step[:-1].mean().item(),
            "flicker": second.abs().mean().item() / visible}


def seam_ratio(rows: list[dict[str, float]]) -> float:
    """Seam changes over the other changes of many loops, sums first, so that nearly still loops do not rule."""
    return sum(row["seam"] for row in rows) / max(1e-9, sum(row["inner"] for row in rows))


def roughness(rows: list[dict[str, float]]) -> float:
    """Flicker per motion: 0 for steady motion, up to 2 where every frame undoes the last."""
    return sum(row["flicker"] for row in rows) / max(1e-9, sum(row["amount"] for row in rows))


def psnr(a: Tensor, b: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of values in 0..1."""
    return -10 * torch.log10((a - b).square().mean().clamp(min=1e-10)).item()


def nearest(samples: Tensor, known: Tensor, chunk: int = 256) -> Tensor:
    """Root-mean-square distance of each row of samples [N, D] to its nearest row of known [M, D] -> [N]."""
    parts = [torch.cdist(part, known).amin(1) for part in samples.split(chunk)]
    return torch.cat(parts) / samples.shape[1] ** 0.5
