"""Trains the denoiser and the text encoder on latents: pictures first, then pictures and clips together.

    nice python3 training/train_denoiser.py --minutes 240
    nice torchrun --nproc-per-node 2 training/train_denoiser.py --minutes 240     # a process a core

Flow matching (Lipman et al. 2023): x_t = (1 - t) x_0 + t noise, the target is noise - x_0; t is logit-normal
(Esser et al. 2024). Resumes from its newest checkpoint.
"""

from argparse import Namespace
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from captions import draw_caption
from data import data_dir
from denoiser import LATENT, OUTLINE, Denoiser, clip_conditions, picture_conditions
from loop import Loop, arguments, load_matching, mixed_precision, on_rank_0
from motion import MOTIONS
from near_words import Words, load_near_words
from text import TextEncoder, Tokenizer, trimmed
from vocabulary import load_table

PICTURES, CLIPS = 64, 7  # a batch of each costs about the same
NULL_TEXT = 0.1  # share of prompts replaced by the empty one, for classifier-free guidance
# Share of captions that are a word of near meaning, and `TextEncoder.blur`: less than in train_layout.py, lest the picture
# distrust its text.
NEAR_SHARE, BLUR = 0.2, 0.7
DETAIL = 0.5  # weight of an error in a latent of detail, where one in the velocity of OUTLINE has 1
LAYOUT_WEIGHT = 0.2  # of the layout's own error in a picture's loss
# Guidance learnt in the second stage, by pictures and by clips: as if guided with 1 / (1 - 0.4) and 1 / (1 - 0.5), in one forward
# a step. A clip is guided away from one of no prompt and no picture: without it, what moves falls apart.
FOLDED_PICTURE, FOLDED_CLIP = 0.4, 0.5
NULL_CLIP = 0.08  # share of the clips that learn to be that
MOTION_GIVEN = 0.7
SHORT_SHARE = 0.3  # of the batches of clips
ROUGH_PICTURE = 0.15  # most noise, in latents' std, on the picture that a clip starts from: the one it gets was generated
# Logit-normal times, shifted to noise as the sampler's are (`sampling.SHIFT`): a sticker's outline is decided at t > 0.8, which a
# standard one draws 8 % of the time and this one 45 %, and its detail at t < 0.5, which this one draws 20 % of the time.
TIME_MEAN, TIME_STD = 1.2, 1.4
KNOWN_PICTURE, KNOWN_CLIP = 0.1, 0.15  # share of the batch in which a part of the latents is given
MOVING = 0.3  # share of the pictures that are asked for with a motion word: a dancing cat begins as the picture of a cat
SKETCHED = 0.35  # share of the pictures that a degraded one of themselves is given with
# Names come in families that look alike; each counts as a few names, so that training time goes to different things.
FAMILIES = {"keycap": 3, "Japanese": 4, "family": 4, "input": 1}
SYNTHETIC = 0.35  # what a still in made-up motion counts of a real loop: there are twice as many, and they look worse
GENDERED = 0.4  # "man running", "woman running" and "person running" count as 1.2 names


class Model(nn.Module):
    """What is trained and exported together."""

    def __init__(self, table: Tensor | None = None):
        super().__init__()
        self.denoiser = Denoiser()
        self.text = TextEncoder(table)


@dataclass
class Loops:
    """Loops of one length: `clips`, `anchors` and `clip_rows` as of latents.py, rows by name, how often each name is drawn."""

    stored: dict
    groups: list[list[int]]
    weights: np.ndarray


class Latents:
    """Normalised latents in memory, drawn in balance: a name counts once however many variants it has."""

    def __init__(self, stored: dict, near_words: Words, near_share: float):
        self.near_words, self.near_share = near_words, near_share
        self.mean = stored["mean"].view(-1, 1, 1)
        self.std = stored["std"].view(-1, 1, 1)
        self.singles, self.degraded = stored["pictures"], stored["degraded"]
        self.picture_rows = stored["picture_rows"]
        self.held, self.held_rows = stored["held_out"], stored["held_out_rows"]
        self.picture_groups, self.picture_weights = self.group(self.picture_rows)
        self.usual_motion = self.means([(row.get("motion_name"), row["motion"]) for row in stored["clip_rows"]])
        self.long = Loops(stored, *self.group(stored["clip_rows"]))
        self.short = [Loops(short, *self.group(short["clip_rows"])) for short in stored["short"]]

    @staticmethod
    def means(named: list[tuple[str | None, float]]) -> dict[str | None, float]:
        """Mean motion of real loops (None) and of each made-up motion, so that 1 asks for what is usual of its kind."""
        return {name: float(np.mean([value for key, value in named if key == name])) for name in {key for key, _ in named}}

    @staticmethod
    def group(rows: list[dict]) -> tuple[list[list[int]], np.ndarray]:
        """Rows by name, and how often each name is drawn."""
        groups: dict[str, list[int]] = {}
        for i, row in enumerate(rows):
            key = f"flag{i % 12}" if row["flag"] else f"{row['name']}|{'motion_name' in row}"
            groups.setdefault(key, []).append(i)
        families = [key.split("|")[0].split(":")[0].split(" ")[0] for key in groups]
        weights = np.array([
            FAMILIES[family] / families.count(family) if family in FAMILIES
            else GENDERED if family in ("man", "woman", "person", "men", "women", "people") else 1.0
            for family in families
        ]) * np.array([SYNTHETIC if key.endswith("|True") else 1.0 for key in groups])
        return list(groups.values()), weights / weights.sum()

    def draw(self, groups: list[list[int]], weights: np.ndarray, count: int, rng: np.random.Generator) -> list[int]:
        return [int(rng.choice(groups[g])) for g in rng.choice(len(groups), count, p=weights)]

    def normalise(self, z: Tensor) -> Tensor:
        return (z.float() - self.mean) / self.std

    def caption(self, row: dict, rng: np.random.Generator) -> str:
        return draw_caption(row, rng, self.near_words.get(row["name"], []), self.near_share)

    def pictures(self, count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, list[str]]:
        """[B, 1, 40, 16, 16], each degraded in one of its ways [B, 40, 16, 16], and captions."""
        drawn = self.draw(self.picture_groups, self.picture_weights, count, rng)
        degraded = self.degraded[rng.integers(len(self.degraded), size=count), drawn]
        rows = [self.picture_rows[i] for i in drawn]
        moving = [{**row, "motion_name": rng.choice(list(MOTIONS))} if rng.random() < MOVING else row for row in rows]
        texts = [self.caption(row, rng) for row in moving]
        return self.normalise(self.singles[drawn])[:, None], self.normalise(degraded), texts

    def loops(self, processes: int, short: bool, rng: np.random.Generator) -> tuple[Tensor, Tensor, list[str], Tensor]:
        """[B, T, 40, 16, 16] rolled to a random start, the picture of its first frame, captions, relative motion [B]. T is 9, or less
        where they are to be `short`, and B such that a batch costs about the same."""
        kind = self.short[rng.integers(len(self.short))] if short else self.long
        frames = kind.stored["clips"].shape[1]
        count = -(-CLIPS * self.long.stored["clips"].shape[1] // (frames * processes))
        latents, pictures, texts, motion = [], [], [], []
        for i in self.draw(kind.groups, kind.weights, count, rng):
            start, row = int(rng.integers(frames)), kind.stored["clip_rows"][i]
            latents.append(kind.stored["clips"][i].roll(-start, 0))
            pictures.append(kind.stored["anchors"][i, start])
            texts.append(self.caption(row, rng))
            motion.append(min(4.0, row["motion"] / self.usual_motion[row.get("motion_name")]))
        return self.normalise(torch.stack(latents)), self.normalise(torch.stack(pictures)), texts, torch.tensor(motion)


def known_mask(x0: Tensor, share: float, rng: np.random.Generator) -> Tensor:
    """[B, T, 1, 16, 16], 1 where latents are given: in `share` of the rows some frames, or all but a box in every frame."""
    b, n, _, h, w = x0.shape
    mask = torch.zeros(b, n, 1, h, w)
    for i in np.flatnonzero(rng.random(b) < share):
        if n > 1 and rng.random() < 0.5:
            mask[i, torch.from_numpy(rng.random(n) < rng.uniform(0.1, 0.8))] = 1
        else:
            height, width = rng.integers(4, h + 1), rng.integers(4, w + 1)
            top, left = rng.integers(h - height + 1), rng.integers(w - width + 1)
            mask[i] = 1
            mask[i, :, :, top : top + height, left : left + width] = 0
    return mask


def layout_loss(model: Model, pooled: Tensor, x0: Tensor) -> Tensor:
    """Mean square error of the average picture that the text alone gives; x0 [B, 1, 40, 16, 16]."""
    return F.mse_loss(model.denoiser.layout(pooled), F.pixel_unshuffle(x0[:, 0, :OUTLINE], 2).flatten(2).mT)


@dataclass
class Conditions:
    """What the denoiser is told, for B samples; see `Denoiser.forward`."""

    tokens: Tensor
    mask: Tensor
    motion: Tensor
    spatial: Tensor


def flow_loss(model: Model, x0: Tensor, given: Conditions, null: Conditions | None = None, folded: float = 0.0) -> Tensor:
    """With `null` the target is moved on by `folded` of what `given` changes to it (model guidance, Tang et al. 2025), which
    folds classifier-free guidance into the network."""
    t = torch.sigmoid(TIME_MEAN + TIME_STD * torch.randn(len(x0)))
    noise = torch.randn_like(x0)
    mix = t.view(-1, 1, 1, 1, 1)
    x = (1 - mix) * x0 + mix * noise

    def predict(told: Conditions) -> tuple[Tensor, Tensor]:
        context, pooled = model.text(told.tokens, told.mask)
        return model.denoiser.predict(x, t, context, told.mask, pooled, told.motion, told.spatial), pooled

    output, pooled = predict(given)
    target = torch.cat([(noise - x0)[:, :, :OUTLINE], x0[:, :, OUTLINE:]], dim=2)
    if null:
        with torch.no_grad():
            target = target + folded * (output - predict(null)[0])
    weight = torch.ones(LATENT)
    weight[OUTLINE:] = DETAIL
    loss = ((output - target).square().mean((0, 1, 3, 4)) * weight).sum() / weight.sum()
    return loss if x0.shape[1] > 1 else loss + LAYOUT_WEIGHT * layout_loss(model, pooled, x0)


Batch = tuple[Tensor, Conditions, Conditions]  # x0, what the denoiser is told, and what it is told that guidance leads away from


def picture_batch(latents: Latents, tokenizer: Tokenizer, processes: int, rng: np.random.Generator) -> Batch:
    """One process's part of a step's pictures, of which some are sketched and some partly known."""
    x0, degraded, texts = latents.pictures(PICTURES // processes, rng)
    sketched = (torch.rand(len(x0), 1, 1, 1) < SKETCHED).float()
    spatial = picture_conditions(x0, x0, known_mask(x0, KNOWN_PICTURE, rng), degraded * sketched)
    return told(tokenizer, x0, texts, torch.zeros(len(x0), 2), spatial, spatial, rng)


def clip_batch(latents: Latents, tokenizer: Tokenizer, processes: int, short: bool, rng: np.random.Generator) -> Batch:
    """One process's part of a step's clips, of which some are partly known and some have neither picture nor prompt."""
    x0, picture, texts, amount = latents.loops(processes, short, rng)
    picture = picture + ROUGH_PICTURE * torch.rand(len(x0), 1, 1, 1) * torch.randn_like(picture)
    kept = known_mask(x0, KNOWN_CLIP, rng)
    is_given = (torch.rand(len(x0)) < MOTION_GIVEN).float()
    motion = torch.stack([amount * is_given, is_given], 1).float()
    for i in np.flatnonzero(rng.random(len(x0)) < NULL_CLIP):
        picture[i], motion[i], texts[i] = 0, 0, ""
    nothing = clip_conditions(x0, torch.zeros_like(picture), x0, kept)
    return told(tokenizer, x0, texts, motion, clip_conditions(x0, picture, x0, kept), nothing, rng)


def told(tokenizer: Tokenizer, x0: Tensor, texts: list[str], motion: Tensor, spatial: Tensor, nothing: Tensor,
         rng: np.random.Generator) -> Batch:
    """A batch with its prompts, of which some are dropped. `nothing`: of `spatial`, what guidance leads away from."""
    texts = ["" if rng.random() < NULL_TEXT else text for text in texts]
    empty = trimmed(*tokenizer([""]))
    null = Conditions(*(row.expand(len(x0), -1) for row in empty), torch.zeros_like(motion), nothing)
    return x0, Conditions(*trimmed(*tokenizer(texts)), motion, spatial), null


def prepare(args: Namespace, near_share: float = NEAR_SHARE, blur: float = BLUR) -> tuple[Latents, Tokenizer, Model, dict]:
    """Latents, tokenizer, model (from --init, where that is given), and what a checkpoint holds besides the model."""
    root = data_dir()
    stored = torch.load(root / "latents.pt", weights_only=True)
    on_rank_0(lambda: (load_table(root), load_near_words(root)))  # they make their files at the first call
    table = load_table(root)
    latents, tokenizer, model = Latents(stored, load_near_words(root), near_share), Tokenizer(), Model(table)
    if args.init:
        missing = load_matching(model, torch.load(args.init, weights_only=True)["model"])
        print("new weights:", missing or "none")
    model.text.blur = blur
    return latents, tokenizer, model, {"latents": {"mean": stored["mean"], "std": stored["std"]}}


def main() -> None:
    parser = arguments(__doc__, "denoiser", minutes=240)
    parser.add_argument("--pictures-first", type=float, default=0.5, help="share of the time spent on pictures alone")
    parser.add_argument("--clip-share", type=float, default=0.75, help="of the steps after those")
    args = parser.parse_args()
    torch.manual_seed(0)
    latents, tokenizer, model, extra = prepare(args)
    loop = Loop(model, args, extra)
    rng = np.random.default_rng([loop.steps, loop.rank])
    torch.manual_seed(loop.steps * loop.size + loop.rank)
    for _ in loop:
        second = loop.progress >= args.pictures_first
        clips = second and rng.random() < args.clip_share
        if clips:
            x0, given, null = clip_batch(latents, tokenizer, loop.size, rng.random() < SHORT_SHARE, rng)
        else:
            x0, given, null = picture_batch(latents, tokenizer, loop.size, rng)
        with mixed_precision():
            loss = flow_loss(model, x0, given, null if second else None, FOLDED_CLIP if clips else FOLDED_PICTURE)
        loop.step(loss, **{"clip_loss" if clips else "picture_loss": loss.item()})


if __name__ == "__main__":
    main()
