"""Latents as a trained denoiser leaves them, so that a decoder learns to draw from those too. Not a sampler (`sampling.py`).

The last step of sampling predicts x_0 from an x_t that still has noise (t = 0.53 of 8 steps): what noise hid comes out
averaged, which no latents of the encoder's are. A decoder that never saw such latents draws specks along moving edges.
"""

from pathlib import Path

import torch
from torch import Tensor

from checkpoint import load_model
from denoiser import clip_conditions, picture_conditions
from sampling import SHIFT, times
from text import Tokenizer, trimmed

MOST = times(4, SHIFT)[-2]  # t that the last of 4 steps predicts x_0 from; with more steps it is lower


class Denoised:
    """A frozen denoiser of its averaged weights. `root`: the data's folder; `checkpoint`: of train_denoiser.py."""

    def __init__(self, root: Path, checkpoint: Path):
        self.model, self.mean, self.std = load_model(checkpoint, root)
        self.tokenizer = Tokenizer()

    @torch.no_grad()
    def __call__(self, latents: Tensor, pictures: Tensor, texts: list[str]) -> Tensor:
        """The autoencoder's latents [B, T, 40, 16, 16] of loops, those of their first frames as stills
        [B, 40, 16, 16], their captions -> x_0 as predicted from x_t, t uniform in 0..MOST for each loop."""
        x0 = (latents - self.mean) / self.std
        t = MOST * torch.rand(len(x0))
        mix = t.view(-1, 1, 1, 1, 1)
        x = (1 - mix) * x0 + mix * torch.randn_like(x0)
        alone = x0.shape[1] == 1
        conditions = picture_conditions(x) if alone else clip_conditions(x, (pictures - self.mean) / self.std)
        tokens, mask = trimmed(*self.tokenizer(texts))
        context, pooled = self.model.text(tokens, mask)
        velocity = self.model.denoiser(x, t, context, mask, pooled, torch.zeros(len(x), 2), conditions)
        return (x - mix * velocity) * self.std + self.mean
