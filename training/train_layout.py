"""Trains the text encoder and the denoiser's layout by themselves: from a prompt to the average picture of it.

    nice torchrun --nproc-per-node 2 training/train_layout.py --minutes 8

A step costs 1/30 of the denoiser's, and what is learnt, which word means which outline and colour, is what the denoiser
learns last. Only the mean over all pictures of a prompt can be learnt here (the least squares answer); what is in doubt comes
out blurred, and is the denoiser's to decide. Writes layout/checkpoint.pt, for `train_denoiser.py --init`.
"""

import numpy as np
import torch

from captions import label
from loop import Loop, arguments
from text import Tokenizer, trimmed
from train_denoiser import NULL_TEXT, Latents, Model, layout_loss, prepare

BATCH = 512
NEAR_SHARE = 0.5  # of the captions are a word of near meaning
BLUR = 1.0  # of a word's vector (`TextEncoder.blur`)


@torch.no_grad()
def held_out_error(model: Model, latents: Latents, tokenizer: Tokenizer) -> float:
    """Mean square error over pictures of names that are held out, each asked for by its name."""
    texts = [label(row) for row in latents.held_rows]
    _, pooled = model.text(*tokenizer(texts))
    return layout_loss(model, pooled, latents.normalise(latents.held)[:, None]).item()


def main() -> None:
    args = arguments(__doc__, "layout", minutes=8).parse_args()
    torch.manual_seed(0)
    latents, tokenizer, model, _ = prepare(args, NEAR_SHARE, BLUR)
    for name, p in model.named_parameters():
        p.requires_grad_(name.startswith(("text.", "denoiser.layout1.", "denoiser.layout2.")))
    loop = Loop(model, args)
    rng = np.random.default_rng([loop.steps, loop.rank])
    torch.manual_seed(loop.steps * loop.size + loop.rank)
    loop.ema.text.blur = 0.0
    for _ in loop:
        x0, _, texts = latents.pictures(BATCH // loop.size, rng)
        tokens, mask = trimmed(*tokenizer(["" if rng.random() < NULL_TEXT else text for text in texts]))
        _, pooled = model.text(tokens, mask)
        loss = layout_loss(model, pooled, x0)
        values = {"held_out": held_out_error(loop.ema, latents, tokenizer)} if loop.steps % 50 == 0 else {}
        loop.step(loss, **values)


if __name__ == "__main__":
    main()
