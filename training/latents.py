"""Encodes the data set once with a frozen encoder, so that the denoiser trains on latents alone.

By the encoder's first pass: the second moves latents by some percent of their variance, and with the decoder in between
it would take three times as long.

    python3 training/latents.py --minutes 12

Writes latents.pt:

    clips, anchors         [N, 9, 40, 16, 16] f16; clip_rows: [row...]
    short                  [{clips, anchors, clip_rows} alike of 2, of 3, ... latent frames]
    pictures               [M, 40, 16, 16] f16; picture_rows: [row...]
    degraded               [4, M, 40, 16, 16] f16 (`degrade.py`)
    held_out               like the pictures, of the names that are held out of training; held_out_rows: [row...]
    mean, std              [40]

`anchors[:, k]` is the picture (a still loop of one frame) of frame 4k, the first that latent frame k covers. Clips are the
data set's loops and stills in synthetic motion; short ones are a part of those, forth and back at their real speed. Names come
in random order, so that a run cut short by `--minutes` is still a fair sample.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from autoencoder import TIME, Autoencoder
from data import FRAMES, data_dir, replacing, to_float
from dataset import Stickers, jitter, ping_pong
from degrade import degrade
from loop import mixed_precision
from metrics import motion
from motion import MOTIONS, animate

LOOKS = 4  # of each picture, degraded
# Latent frames of short loops, and how many of each. A denoiser that saw loops of 9 alone frays all that moves in shorter ones.
SHORT, SHORT_COUNT = (2, 3, 4, 6), 1000


@torch.no_grad()
def encode_loop(model: Autoencoder, clip: Tensor) -> tuple[Tensor, Tensor]:
    """clip [T, 4, 128, 128] -> latents [T/4, 40, 16, 16] and the pictures of frames 0, 4, 8, ... alike."""
    h = model.encoder.features(clip * 2 - 1)
    anchors = model.encoder.compress(h[::TIME].repeat_interleave(TIME, 0), TIME)
    return model.encoder.compress(h, len(clip)).half(), anchors.half()


@torch.no_grad()
def encode_pictures(model: Autoencoder, stickers: Stickers, change: Callable[[Tensor], Tensor] = lambda picture: picture) -> Tensor:
    """Every still and every loop's first frame, as they are: with little time to train, a picture that is always in the
    same place is learnt in far fewer looks than one that is shifted, turned and mirrored."""
    images = [stickers.stills[i] for i, _ in stickers.still_rows] + [stickers.clips[i][0] for i, _ in stickers.clip_rows]
    latents = []
    for start in range(0, len(images), 32):
        batch = torch.stack([change(to_float(image)) for image in images[start : start + 32]])
        h = model.encoder.features(batch * 2 - 1)
        latents.append(model.encoder.compress(h.repeat_interleave(TIME, 0), TIME).half())
    return torch.cat(latents)


def picture_rows(stickers: Stickers) -> list[dict]:
    return [row for _, row in stickers.still_rows + stickers.clip_rows]


def encode_degraded(model: Autoencoder, stickers: Stickers) -> Tensor:
    """[LOOKS, M, 40, 16, 16]: every picture, worse in a few random ways."""
    rng = np.random.default_rng(3)
    return torch.stack([encode_pictures(model, stickers, lambda picture: degrade(picture, rng)) for _ in range(LOOKS)])


def clip_plan(stickers: Stickers, rng: np.random.Generator) -> list[tuple[str, int, dict]]:
    """What to encode, in order: every name's plain loop, a third of the tones, stills and loops' first frames in motion (a
    cat that only ever walks does not learn to dance), then second looks."""
    plain = [("clip", i, row) for i, row in stickers.clip_rows if not row["tone"]]
    toned = [("clip", i, row) for i, row in stickers.clip_rows if row["tone"]]
    moved = [("still", i, row) for i, row in stickers.still_rows if not row["flag"]]
    moved += [("first", i, row) for _, i, row in plain]
    for group in (plain, toned, moved):
        rng.shuffle(group)
    first = plain + toned[: len(toned) // 3] + moved
    rng.shuffle(first)
    return first + plain + moved + toned[len(toned) // 3 :]


def moving(stickers: Stickers, kind: str, i: int, row: dict, rng: np.random.Generator) -> tuple[Tensor, dict]:
    """A loop [36, 4, 128, 128] of what `clip_plan` names, and its row."""
    if kind == "clip":
        return to_float(jitter(np.roll(stickers.clips[i], rng.integers(FRAMES), axis=0), rng)), row
    name = list(MOTIONS)[rng.integers(len(MOTIONS))]
    still = stickers.stills[i] if kind == "still" else stickers.clips[i][0]
    clip = animate(to_float(still), name, FRAMES, rng.random())
    return clip, {**row, "motion_name": name, "motion": motion(clip)["amount"]}


def add_clip(model: Autoencoder, out: dict, clip: Tensor, row: dict) -> None:
    """Encodes clip [T, 4, 128, 128] into the lists of `out`, 'clips' and 'anchors' [T/4, 40, 16, 16] f16 and 'clip_rows'."""
    with mixed_precision():
        latents, anchors = encode_loop(model, clip)
    out["clips"].append(latents)
    out["anchors"].append(anchors)
    out["clip_rows"].append(row)


def encode_short(model: Autoencoder, stickers: Stickers, latent_frames: int, rng: np.random.Generator) -> dict:
    """SHORT_COUNT loops -> clips and anchors [N, latent_frames, 40, 16, 16] f16, clip_rows."""
    out: dict = {"clips": [], "anchors": [], "clip_rows": []}
    for item in clip_plan(stickers, rng)[:SHORT_COUNT]:
        clip, row = moving(stickers, *item, rng)
        clip = ping_pong(clip, TIME * latent_frames, rng)
        add_clip(model, out, clip, {**row, "motion": motion(clip)["amount"]})
    return {**out, "clips": torch.stack(out["clips"]), "anchors": torch.stack(out["anchors"])}


def encode_all(model: Autoencoder, stickers: Stickers, seconds: float) -> dict:
    """-> what latents.pt holds (see the top); the loops of 36 frames take `seconds`, all else what it takes."""
    rng = np.random.default_rng(0)
    held = stickers.part("held_out")
    out: dict = {"clips": [], "anchors": [], "clip_rows": [], "degraded": encode_degraded(model, stickers),
                 "pictures": encode_pictures(model, stickers), "picture_rows": picture_rows(stickers),
                 "held_out": encode_pictures(model, held), "held_out_rows": picture_rows(held)}
    began = time.time()
    for item in clip_plan(stickers, rng):
        if time.time() - began > seconds:
            break
        add_clip(model, out, *moving(stickers, *item, rng))
    out["short"] = [encode_short(model, stickers, n, rng) for n in SHORT]
    for key in ("clips", "anchors"):
        out[key] = torch.stack(out[key])
    sample = torch.cat([out["pictures"], out["clips"].flatten(0, 1)[:: 4]]).float()
    return {**out, "mean": sample.mean((0, 2, 3)), "std": sample.std((0, 2, 3))}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=12, help="for the clips; the pictures come first and are quick")
    parser.add_argument("--checkpoint", type=Path, default=None)
    parser.add_argument("--keep", type=Path, default=None,
                        help="checkpoint of a denoiser to train on: its mean and std stay those of the latents that it knows")
    args = parser.parse_args()
    root = data_dir()
    model = Autoencoder().to(memory_format=torch.channels_last).eval()
    state = torch.load(args.checkpoint or root / "autoencoder" / "checkpoint.pt", weights_only=True)
    model.load_state_dict(state["ema"])
    out = encode_all(model, Stickers(root, "train"), args.minutes * 60)
    if args.keep:
        for name, known in torch.load(args.keep, weights_only=True)["latents"].items():
            out[name][: len(known)] = known
    with replacing(root / "latents.pt") as draft:
        torch.save(out, draft)
    print(f"{len(out['clips'])} clips, {len(out['pictures'])} pictures; std {out['std'].tolist()}")


if __name__ == "__main__":
    main()
