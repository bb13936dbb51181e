"""The evaluation's part that draws no samples: held-out loops and stills through the exported autoencoder and back."""

from pathlib import Path

import numpy as np
import torch

from data import to_float
from judge import over
from metrics import changes, motion, psnr, seam_ratio
from prompts import unseen
from shipped import Shipped


@torch.no_grad()
def measure_autoencoder(model: Shipped, root: Path, index: dict, count: int) -> dict:
    """Whole loops and stills of held-out names, at most `count` of each; keys as in metrics.json."""
    clips, stills = (np.load(root / f"{name}.npy", mmap_mode="r") for name in ("clips", "stills"))
    held = unseen(index)
    loops = [entry for entry in held if entry[0] == "clips"][:count]
    white, colour, alpha, moved, true_moved, flicker = [], [], [], [], [], []
    generator = torch.Generator().manual_seed(0)
    for _, i, _ in loops:
        clip = to_float(clips[i])
        out = model.autoencoder.decode(model.autoencoder.encode(clip[None]))[0].clamp(0, 1)
        background = torch.rand(3, 1, 1, generator=generator)
        white.append(psnr(over(out), over(clip)))
        colour.append(psnr(over(out, background), over(clip, background)))
        alpha.append((out[:, 3] - clip[:, 3]).abs().mean().item())
        moved.append(motion(out))
        true_moved.append(motion(clip))
    for _, i, _ in [entry for entry in held if entry[0] == "stills"][:count]:
        still = to_float(stills[i])[None].expand(4, -1, -1, -1)
        out = model.autoencoder.decode(model.autoencoder.encode(still[None]))[0].clamp(0, 1)
        flicker.append(changes(out).mean().item())
    amount, true_amount = (sum(row["amount"] for row in rows) for rows in (moved, true_moved))
    return {"vae_psnr_white_db": round(float(np.mean(white)), 3), "vae_psnr_colour_db": round(float(np.mean(colour)), 3),
            "vae_alpha_mae": round(float(np.mean(alpha)), 5), "vae_seam_ratio": round(seam_ratio(moved), 4),
            "vae_seam_ratio_real": round(seam_ratio(true_moved), 4), "vae_motion_ratio": round(amount / true_amount, 4),
            "vae_still_flicker": round(float(np.mean(flicker)), 6)}
