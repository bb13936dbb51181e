"""Golden outputs of every module, for the page's engine to match. Inputs are fixed; weights are those that are shipped.

Writes goldens.safetensors (page layout: [B, T, H, W, C]) and goldens.json (prompts, times, guidance) into one folder.
"""

import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from autoencoder import Autoencoder
from denoiser import INPUT, LATENT, Denoiser, clip_conditions, picture_conditions
from sampling import draw, times
from text import TextEncoder, Tokenizer

PROMPTS = ["", "a dancing cat", "Zoë's naïve robo-octopus, waving its eight arms at the moon while it is raining cats and dogs in 2026!"]
STEPS = 3
GUIDANCE = 4.0


def page(x: Tensor) -> Tensor:
    """[B, T, C, H, W] -> [B, T, H, W, C], or [N, C, H, W] -> [N, H, W, C]."""
    return x.movedim(-3, -1).contiguous()


def noise(generator: torch.Generator, *shape: int) -> Tensor:
    """Gaussian, rounded to fp16 so that it is stored exactly."""
    return torch.randn(shape, generator=generator).half().float()


def hashed_bytes(count: int) -> Tensor:
    """A fixed picture-like sequence that the page computes too: byte i is the top byte of i * 2654435761 mod 2^32."""
    return (torch.arange(count) * 2654435761 % 2**32) >> 24


@torch.no_grad()
def write_fixtures(folder: Path, autoencoder: Autoencoder, denoiser: Denoiser, text: TextEncoder,
                   latents: dict[str, Tensor], tokenizer: Path, shift: float) -> None:
    """`latents`: their statistics; `shift` of the sampler's times."""
    g = torch.Generator().manual_seed(7)
    out: dict[str, Tensor] = {}
    tokenize = Tokenizer(tokenizer)
    tokens, mask = tokenize(PROMPTS)
    context, pooled = text(tokens, mask)
    out |= {"text.context": context, "text.pooled": pooled, "text.tokens": tokens.int()}

    def golden(name: str, x: Tensor, t: list[float], rows: slice, motion: list[list[float]], conditions: Tensor) -> None:
        v = denoiser(x, torch.tensor(t), context[rows], mask[rows], pooled[rows], torch.tensor(motion, dtype=torch.float32), conditions)
        out[f"{name}.x"], out[f"{name}.output"] = page(x).half(), page(v)

    x = noise(g, 2, 1, LATENT, 16, 16)
    golden("picture", x, [0.75, 0.75], slice(0, 2), [[0, 0], [0, 0]], picture_conditions(x))
    x, picture = noise(g, 1, 9, LATENT, 16, 16), noise(g, 1, LATENT, 16, 16)
    golden("clip9", x, [0.3125], slice(2, 3), [[0.5, 1]], clip_conditions(x, picture))
    out["clip9.picture"] = page(picture).half()
    x, conditions = noise(g, 1, 3, LATENT, 16, 16), noise(g, 1, 3, INPUT - LATENT, 16, 16)
    golden("clip3", x, [1.0], slice(1, 2), [[0, 0]], conditions)
    out["clip3.conditions"] = page(conditions).half()

    z = noise(g, 1, 2, LATENT, 16, 16)
    features = autoencoder.stem(z[0], 2)  # [8, 128, 16, 16]
    out["stem.z"], out["stem.output"] = page(z).half(), page(features[[0, 5]])
    out["head.output"] = page(autoencoder.head(features[:1]))
    rgba = hashed_bytes(8 * 128 * 128 * 4).reshape(1, 8, 128, 128, 4).float() / 255
    out["encoder.output"] = page(autoencoder.encode(rgba.movedim(-1, 2)))

    drawn_by, levels = (denoiser, text, tokenize, PROMPTS[1:2]), times(STEPS, shift)
    start = noise(g, 1, 1, LATENT, 16, 16)
    made = draw(*drawn_by, start, levels, GUIDANCE, None)
    clip_start = noise(g, 1, 3, LATENT, 16, 16)
    clip = draw(*drawn_by, clip_start, levels, 1.0, None, made[:, 0])
    out |= {"sample.picture_noise": page(start).half(), "sample.picture": page(made),
            "sample.clip_noise": page(clip_start).half(), "sample.clip": page(clip)}

    folder.mkdir(parents=True, exist_ok=True)
    save_file(out, folder / "goldens.safetensors")
    digest = hashlib.sha256((tokenizer.parent / "denoiser.safetensors").read_bytes()).hexdigest()
    about = {"prompts": PROMPTS, "steps": STEPS, "guidance": GUIDANCE, "denoiserSha256": digest,
             "times": {"picture": 0.75, "clip9": 0.3125, "clip3": 1.0},
             "motion": {"picture": [0, 0, 0, 0], "clip9": [0.5, 1], "clip3": [0, 0]},
             "stemFrames": [0, 5], "latents": {k: v.tolist() for k, v in latents.items()}}
    (folder / "goldens.json").write_text(json.dumps(about, indent=2) + "\n")
