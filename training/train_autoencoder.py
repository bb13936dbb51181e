"""Trains the autoencoder. Resumes from its newest checkpoint.

    nice python3 training/train_autoencoder.py --minutes 45
    nice torchrun --nproc-per-node 2 training/train_autoencoder.py --minutes 45     # a process a core, 5 GB each
    ... --out FOLDER --init CHECKPOINT --keep CHECKPOINT    # the first latents stay near that one's; `align.py` does the rest
    ... --out FOLDER --init CHECKPOINT --refine    # the encoder's second pass, and the decoder; its first pass stays as it is
    ... --out FOLDER --init CHECKPOINT --decoder-only    # the latents, and a denoiser that was trained on them, stay as they are
    ... --out FOLDER --init CHECKPOINT --decoder-only --denoiser CHECKPOINT    # and it learns to draw what that denoiser makes
"""

import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autoencoder import TIME, Autoencoder, Encoder
from captions import draw_caption
from data import SIZE, data_dir, to_float
from dataset import Stickers, jitter, ping_pong
from denoised import Denoised
from judge import over
from loop import Loop, arguments, load_matching, mixed_precision
from metrics import changes, psnr

LATENT_NOISE = 0.01  # std of noise added to latents, so that the decoder forgives the denoiser small errors
DENOISED = 0.5  # share of the steps with --denoiser whose latents are as it leaves them
DECIBEL = 0.02  # weight of a decibel of PSNR, over white and over a random colour, beside absolute errors
FLOOR = 2e-5  # added to a clip's mean square error (47 dB), lest a crop of nothing outweigh the others
CORRECTION = 0.25  # weight of the second pass's mean square: a denoiser is trained on the first one's latents
UNREFINED = 0.1  # share of the clips that are decoded from the first pass's latents, which a denoiser makes
KEPT = 0.05  # weight of the first latents' distance to those of --keep, which is measured at every fourth step
LAYOUTS = [(6, 4), (3, 8), (2, 12)]  # (clips, frames): 24 frames a step, whatever the loop's length
OFTEN = [0.25, 0.35, 0.4]  # their shares of the steps
TURNED = 0.2  # share of the clips that are transposed, and as many whose colours change places
BOUNDARY = 4.0  # weight of errors in change from one latent frame's last frame to the next one's first; they show as a jerk
CROP = 64  # pixels; four crops cost as much as one frame and show four stickers
WHOLE_AFTER = 0.7  # share of the time after which frames are whole again, as the norms will see them


def draw(stickers: Stickers, rng: np.random.Generator, frames: int) -> tuple[np.ndarray, str]:
    """A loop and its caption."""
    if rng.random() < 0.7:
        i, row = stickers.draw_clip(rng)
        clip = ping_pong(stickers.clips[i], frames, rng)
    else:
        i, row = stickers.draw_still(rng)
        clip = np.repeat(stickers.stills[i][None], frames, axis=0)
    return turned(jitter(clip, rng), rng), draw_caption(row, rng)


def turned(clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Randomly transposes the clip or permutes its colours, so that training covers shapes and colours that only held-out
    stickers have."""
    if rng.random() < TURNED:
        clip = clip.swapaxes(1, 2)
    if rng.random() < TURNED:
        clip = clip[..., [*rng.permutation(3), 3]]
    return clip


def crop(clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A square of CROP pixels around a random pixel of the sticker, as far as the frame's edges allow."""
    rows, columns = np.nonzero(clip[0, :, :, 3])
    if len(rows) == 0:
        return clip[:, :CROP, :CROP]
    i = rng.integers(len(rows))
    top, left = (np.clip(at + rng.integers(-CROP, 0), 0, SIZE - CROP) for at in (rows[i], columns[i]))
    return clip[:, top : top + CROP, left : left + CROP]


def batch(stickers: Stickers, rng: np.random.Generator, cropped: bool, processes: int) -> tuple[Tensor, list[str]]:
    """One process's part of a step's clips, with their captions."""
    count, frames = LAYOUTS[rng.choice(len(LAYOUTS), p=OFTEN)]
    count = count * (SIZE // CROP) ** 2 // processes if cropped else -(-count // processes)
    clips, texts = zip(*(draw(stickers, rng, frames) for _ in range(count)))
    return torch.stack([to_float(crop(clip, rng) if cropped else clip) for clip in clips]), list(texts)


def gradients(x: Tensor) -> list[Tensor]:
    """Differences down, across and (on the circle) in time, where those between latent frames weigh BOUNDARY times."""
    weight = torch.ones(x.shape[1])
    weight[::TIME] = BOUNDARY
    return [x[..., 1:, :] - x[..., :-1, :], x[..., 1:] - x[..., :-1], (x - x.roll(1, 1)) * weight[:, None, None, None]]


def loss_of(output: Tensor, target: Tensor) -> Tensor:
    """RGBA [B, T, 4, H, W], premultiplied, twice -> scalar: absolute errors, those of gradients, and decibels of composites."""
    colour = torch.rand(target.shape[0], 1, 3, 1, 1)
    error = output - target
    # Compositing premultiplied colours is linear, rgb + (1 - a) * colour: this is the error of what is seen.
    on_colour = error[:, :, :3] - error[:, :, 3:] * colour
    loss = error.abs().mean() + on_colour.abs().mean()
    loss = loss + 0.5 * sum(g.abs().mean() for g in gradients(error))
    for composite in (error[:, :, :3] - error[:, :, 3:], on_colour):  # the first over white
        loss = loss + DECIBEL * 10 * torch.log10(composite.square().mean((1, 2, 3, 4)) + FLOOR).mean()
    return loss


class Kept(nn.Module):
    """Another autoencoder's encoder, whose first pass the first latents are to stay near."""

    def __init__(self, checkpoint: Path):
        super().__init__()
        weights = {name.removeprefix("encoder."): value for name, value in ema(checkpoint).items() if name.startswith("encoder.")}
        self.channels, wide = weights["conv_out.weight"].shape[:2]
        self.encoder = Encoder(latent=self.channels, wide=wide).to(memory_format=torch.channels_last)
        load_matching(self.encoder, weights)  # blocks that it did not have yet start as the identity

    @torch.no_grad()
    def forward(self, rgba: Tensor) -> Tensor:
        return self.encoder.encode(rgba)

    def distance(self, latents: Tensor, rgba: Tensor) -> Tensor:
        """Mean square distance; latents [B, T/4, C, H/8, W/8] of rgba [B, T, 4, H, W]."""
        return F.mse_loss(latents[:, :, : self.channels], self(rgba).float())


def ema(checkpoint: Path) -> dict[str, Tensor]:
    return torch.load(checkpoint, map_location="cpu", weights_only=True)["ema"]


@torch.no_grad()
def measure(model: Autoencoder, stickers: Stickers, count: int = 24) -> dict:
    """Of held-out clips: PSNR over white (mean of the clips' own), mean absolute error of alpha, and jerk, which is the
    change between latent frames over the change within them; real clips' own jerk is near 1."""
    decibels, alpha, between, within = [], [], 0.0, 0.0
    rows = stickers.clip_rows[:: max(1, len(stickers.clip_rows) // count)]
    for i, _ in rows:
        clip = to_float(stickers.clips[i])[None]
        out = model.decode(model.encode(clip)).clamp(0, 1)
        decibels.append(psnr(over(out), over(clip)))
        alpha.append((out[:, :, 3] - clip[:, :, 3]).abs().mean().item())
        step = changes(out[0]).view(-1, TIME)  # [:, t] is from frame t to frame t + 1
        between, within = between + step[:, -1].mean().item(), within + step[:, :-1].mean().item()
    return {"psnr_white": round(float(np.mean(decibels)), 3), "alpha_mae": round(float(np.mean(alpha)), 5),
            "jerk": round(between / within, 3)}


def main() -> None:
    parser = arguments(__doc__, "autoencoder", minutes=45, weights="ema")
    parser.add_argument("--keep", type=Path, default=None, help="the first latents stay those of this checkpoint's encoder")
    parser.add_argument("--refine", action="store_true", help="the first pass stays that of --init")
    parser.add_argument("--decoder-only", action="store_true", help="of whole frames, with the encoder of --init")
    parser.add_argument("--denoiser", type=Path, default=None, help="with --decoder-only: learn to draw what it makes, too")
    args = parser.parse_args()
    if args.denoiser and not args.decoder_only:
        parser.error("--denoiser works on the latents that it was trained on: add --decoder-only")
    if (args.decoder_only or args.refine) and not args.init:
        parser.error("--decoder-only and --refine go on from an encoder that is there: name its checkpoint with --init")
    root = data_dir()
    torch.manual_seed(0)
    train = Stickers(root, "train")
    held = train.part("held_out")
    model = Autoencoder().to(memory_format=torch.channels_last)
    if args.init:
        print("new weights:", load_matching(model, ema(args.init)) or "none")
    kept = Kept(args.keep) if args.keep else None
    model.encoder.requires_grad_(not (args.decoder_only or args.refine))
    model.encoder.refiner.requires_grad_(not args.decoder_only)
    denoised = Denoised(root, args.denoiser) if args.denoiser else None
    cropped_until = 0 if args.decoder_only else WHOLE_AFTER
    loop = Loop(model, args)
    rng = np.random.default_rng([loop.steps, loop.rank])
    torch.manual_seed(loop.steps * loop.size + loop.rank)
    measured = time.time()
    for _ in loop:
        target, texts = batch(train, rng, loop.progress < cropped_until, loop.size)
        with mixed_precision():
            first = model.encoder.encode(target).float()
            correction = model.correction(target, first).float()
            latents = first + correction * (torch.rand(len(first), 1, 1, 1, 1) >= UNREFINED)
            strayed = kept.distance(latents, target) if kept and loop.steps % 4 == 0 else torch.zeros(())
        if denoised and rng.random() < DENOISED:
            with mixed_precision():
                pictures = model.encoder.encode(target[:, :1].expand(-1, TIME, -1, -1, -1))[:, 0].float()
                given = denoised(latents, pictures, texts).float()
        else:
            given = latents + LATENT_NOISE * torch.randn_like(latents)
        with mixed_precision():
            output = model.decode(given).float()
        values = {"strayed": strayed.item()} if kept and loop.steps % 4 == 0 else {}
        corrected = correction.square().mean()
        loss = loss_of(output, target) + CORRECTION * corrected + KEPT * strayed
        loop.step(loss, z_std=latents.detach().std().item(), corrected=corrected.item(), **values)
        if loop.rank == 0 and time.time() - measured > 480:
            loop.note(measure(loop.ema, held, 12))
            measured = loop.last = time.time()
    if loop.rank == 0:
        loop.note({"final": measure(loop.ema, held)})


if __name__ == "__main__":
    main()
