"""Trains the denoiser and the text encoder on latents: pictures first, then pictures and clips together.

    nice python3 training/train_denoiser.py --minutes 240

Flow matching (Lipman et al. 2023): x_t = (1 - t) x_0 + t noise, the target is noise - x_0; t is logit-normal
(Esser et al. 2024). Resumes from its newest checkpoint.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from captions import draw_caption
from data import data_dir
from denoiser import Denoiser, clip_conditions, picture_conditions
from loop import Loop
from text import TextEncoder, Tokenizer, load_table

PICTURES, CLIPS = 64, 7  # a batch of each costs about the same
NULL_TEXT = 0.1  # share of prompts replaced by the empty one, for classifier-free guidance
MOTION_GIVEN = 0.5


class Model(nn.Module):
    """What is trained and exported together."""

    def __init__(self, table: Tensor | None = None):
        super().__init__()
        self.denoiser = Denoiser()
        self.text = TextEncoder(table)


class Latents:
    """Normalised latents in memory, drawn in balance: a name counts once however many variants it has."""

    def __init__(self, stored: dict):
        self.mean = stored["mean"].view(-1, 1, 1)
        self.std = stored["std"].view(-1, 1, 1)
        self.stills, self.clips, self.anchors = stored["stills"], stored["clips"], stored["anchors"]
        self.still_rows, self.clip_rows = stored["still_rows"], stored["clip_rows"]
        self.still_groups = self.group(self.still_rows)
        self.clip_groups = self.group(self.clip_rows)
        self.mean_motion = float(np.mean([row["motion"] for row in self.clip_rows]))

    @staticmethod
    def group(rows: list[dict]) -> list[list[int]]:
        groups: dict[str, list[int]] = {}
        for i, row in enumerate(rows):
            key = f"flag{i % 12}" if row["flag"] else f"{row['name']}|{'motion_name' in row}"
            groups.setdefault(key, []).append(i)
        return list(groups.values())

    def normalise(self, z: Tensor) -> Tensor:
        return (z.float() - self.mean) / self.std

    def pictures(self, count: int, rng: np.random.Generator) -> tuple[Tensor, list[str]]:
        """[B, 1, 12, 16, 16]: half of them stills, half of them frames of clips."""
        latents, texts = [], []
        for _ in range(count):
            if rng.random() < 0.5:
                i = rng.choice(self.still_groups[rng.integers(len(self.still_groups))])
                latents.append(self.stills[i])
                texts.append(draw_caption(self.still_rows[i], rng))
            else:
                i = rng.choice(self.clip_groups[rng.integers(len(self.clip_groups))])
                latents.append(self.anchors[i, rng.integers(self.anchors.shape[1])])
                texts.append(draw_caption(self.clip_rows[i], rng))
        return self.normalise(torch.stack(latents))[:, None], texts

    def loops(self, count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, list[str], Tensor]:
        """[B, 9, 12, 16, 16] rolled to a random start, the picture of its first frame, captions, relative motion [B]."""
        latents, pictures, texts, motion = [], [], [], []
        for _ in range(count):
            i = rng.choice(self.clip_groups[rng.integers(len(self.clip_groups))])
            start = int(rng.integers(self.clips.shape[1]))
            latents.append(self.clips[i].roll(-start, 0))
            pictures.append(self.anchors[i, start])
            texts.append(draw_caption(self.clip_rows[i], rng))
            motion.append(min(4.0, self.clip_rows[i]["motion"] / self.mean_motion))
        return self.normalise(torch.stack(latents)), self.normalise(torch.stack(pictures)), texts, torch.tensor(motion)


def flow_loss(model: Model, x0: Tensor, conditions: Tensor, tokens: Tensor, mask: Tensor, motion: Tensor) -> Tensor:
    t = torch.sigmoid(torch.randn(len(x0)))
    noise = torch.randn_like(x0)
    mix = t.view(-1, 1, 1, 1, 1)
    context, pooled = model.text(tokens, mask)
    output = model.denoiser((1 - mix) * x0 + mix * noise, t, context, mask, pooled, motion, conditions)
    return (output - (noise - x0)).square().mean()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=240)
    parser.add_argument("--max-steps", type=int, default=10**9)
    parser.add_argument("--pictures-first", type=float, default=0.5, help="share of the time spent on pictures alone")
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--init", type=Path, default=None, help="start from these weights with a fresh schedule")
    args = parser.parse_args()
    root = data_dir()
    torch.manual_seed(0)
    stored = torch.load(root / "latents.pt", weights_only=True)
    latents, tokenizer = Latents(stored), Tokenizer()
    model = Model(load_table(root))
    if args.init:
        model.load_state_dict(torch.load(args.init, weights_only=True)["model"])
    folder = args.out or root / "denoiser"
    loop = Loop(model, folder, args.minutes, args.lr, args.max_steps,
                extra={"latents": {"mean": stored["mean"], "std": stored["std"]}, "mean_motion": latents.mean_motion})
    rng = np.random.default_rng(loop.steps)
    torch.manual_seed(loop.steps)
    for _ in loop:
        clips = loop.progress >= args.pictures_first and rng.random() < 0.75
        if clips:
            x0, picture, texts, amount = latents.loops(CLIPS, rng)
            conditions = clip_conditions(x0, picture)
            given = (torch.rand(len(x0)) < MOTION_GIVEN).float()
            motion = torch.stack([amount * given, given], 1).float()
        else:
            x0, texts = latents.pictures(PICTURES, rng)
            conditions, motion = picture_conditions(x0), torch.zeros(len(x0), 2)
        texts = ["" if rng.random() < NULL_TEXT else text for text in texts]
        loss = flow_loss(model, x0, conditions, *tokenizer(texts), motion)
        loop.step(loss, **{"clip_loss" if clips else "picture_loss": loss.item()})


if __name__ == "__main__":
    main()
