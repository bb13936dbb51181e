"""Samples of the exported model, drawn as the page draws them: picture first, then the loop. Not the page's noise (Philox)."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from autoencoder import TIME
from denoiser import INPUT, LATENT, Denoiser, clip_conditions, picture_conditions
from shipped import Shipped
from text import TextEncoder, Tokenizer

SHIFT = 8.0  # of the sampler's times towards noise, as export.py writes it into model.json; 3 was right for 12 latents
MOTION = 1.15  # that a clip is asked for where a visitor names none; 1 is the training clips' mean
STREAMS = {"picture": 0, "clip": 10_000}  # of noise: the two stages share none


def noise(seeds: list[int], stream: int, *shape: int) -> Tensor:
    """[B, *shape]: row i depends on seeds[i] and the stream alone, so that neither order nor batch size matters."""
    rows = [torch.randn(shape, generator=torch.Generator().manual_seed(seed * 1_000_003 + stream)) for seed in seeds]
    return torch.stack(rows)


def times(steps: int, shift: float = 1.0) -> list[float]:
    """From 1 to 0 in equal steps, then shifted towards noise (Esser et al. 2024, eq. 23)."""
    return [shift * u / (1 + (shift - 1) * u) for u in (1 - i / steps for i in range(steps + 1))]


def flow_euler(velocity: Callable[[Tensor, float], Tensor], x: Tensor, levels: list[float]) -> Tensor:
    """From `x` at the first level to the last one; velocity(x, t) is noise - latents."""
    for t, following in zip(levels, levels[1:]):
        x = x + (following - t) * velocity(x, t)
    return x


Prompts = tuple[Tensor, Tensor, Tensor]  # context [B, L, 192], mask [B, L], pooled [B, 192]


def encode(text: TextEncoder, tokenizer: Tokenizer, texts: list[str]) -> Prompts:
    """Texts, of which each is cut to 24 tokens -> what the denoiser is told of them."""
    tokens, mask = tokenizer(texts)
    context, pooled = text(tokens, mask)
    return context, mask, pooled


def velocity_of(denoiser: Denoiser, prompts: Prompts, empty: Prompts, motion: Tensor, conditions: Tensor,
                guidance: float) -> Callable[[Tensor, float], Tensor]:
    """The velocity at (x, t) with classifier-free guidance (Ho & Salimans 2022); 1 asks for no second pass. Shapes as in
    `Denoiser.predict`."""

    def told(x: Tensor, t: float, context: Tensor, mask: Tensor, pooled: Tensor) -> Tensor:
        return denoiser(x, torch.full((len(x),), t), context, mask, pooled, motion, conditions)

    def velocity(x: Tensor, t: float) -> Tensor:
        given = told(x, t, *prompts)
        if guidance == 1:
            return given
        nothing = told(x, t, *empty)
        return nothing + guidance * (given - nothing)

    return velocity


@torch.no_grad()
def draw(denoiser: Denoiser, text: TextEncoder, tokenizer: Tokenizer, texts: list[str], x: Tensor, levels: list[float],
         guidance: float, motion: float | None, picture: Tensor | None = None) -> Tensor:
    """From noise x [B, T, 40, 16, 16] at the first of `levels` -> normalised latents, as x. With `picture` [B, 40, 16, 16] a loop
    that starts from it, without one a picture; `motion` as of MOTION, None where none is asked for."""
    prompts, empty = (encode(text, tokenizer, asked) for asked in (texts, [""] * len(texts)))
    conditions = picture_conditions(x) if picture is None else clip_conditions(x, picture)
    amount = torch.tensor([0.0, 0.0] if motion is None else [motion, 1.0]).expand(len(texts), 2)
    return flow_euler(velocity_of(denoiser, prompts, empty, amount, conditions, guidance), x, levels)


def sample_stage(model: Shipped, texts: list[str], seeds: list[int], steps: int, guidance: float, latent_frames: int,
                 picture: Tensor | None = None) -> Tensor:
    """-> normalised latents [B, T, 40, 16, 16], with motion and shift of model.json; `picture` as of `draw`. Raises SystemExit where
    model.json names another sampler."""
    if (sampler := model.manifest["defaults"]["sampler"]) != "flow-euler":
        raise SystemExit(f"The evaluation draws with 'flow-euler', but model.json has {sampler!r}")
    side = model.manifest["latents"]["size"][0]
    stream = STREAMS["picture" if picture is None else "clip"]
    x = noise(seeds, stream, latent_frames, LATENT, side, side)
    motion = None if picture is None else model.manifest["defaults"].get("motion")
    levels = times(steps, model.manifest["process"]["shift"])
    return draw(model.denoiser, model.text, model.tokenizer, texts, x, levels, guidance, motion, picture)


def picture_steps(defaults: dict, steps: int) -> int:
    """Steps of the picture where the clip takes `steps`: in proportion to `defaults` of model.json, at least 1."""
    return max(1, round(steps * defaults.get("pictureSteps", defaults["steps"]) / defaults["steps"]))


def sample_loops(model: Shipped, texts: list[str], seeds: list[int], steps: int, frames: int) -> Tensor:
    """-> normalised latents [B, frames / 4, 40, 16, 16] with the model's default guidance, `steps` of the sampler."""
    defaults = model.manifest["defaults"]
    pictures = sample_stage(model, texts, seeds, picture_steps(defaults, steps), defaults["guidance"], 1)
    return sample_stage(model, texts, seeds, steps, defaults["clipGuidance"], frames // TIME, pictures[:, 0])


@torch.no_grad()
def decode_frames(model: Shipped, latents: Tensor, frames: list[int] | None = None) -> Tensor:
    """Latents [T/4, 40, 16, 16] of one loop -> RGBA [T or len(frames), 4, 128, 128] in 0..1; unwanted frames cost nothing."""
    z = (latents * model.std + model.mean).contiguous(memory_format=torch.channels_last)
    features = model.autoencoder.stem(z, len(z))
    return model.autoencoder.head(features if frames is None else features[frames]).clamp(0, 1)


@torch.no_grad()
def gflop(model: Shipped) -> dict[str, float]:
    """Cost of a denoiser step for 36 frames and of a decoded frame, counting a multiplication and an addition as two."""
    side, frames = model.manifest["latents"]["size"][0], 36
    x = torch.zeros(1, frames // TIME, LATENT, side, side)
    tokens, mask = model.tokenizer([""])
    context, pooled = model.text(tokens, mask)
    conditions = torch.zeros(1, frames // TIME, INPUT - LATENT, side, side)

    def count(call: Callable[[], Tensor]) -> float:
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            call()
        return counter.get_total_flops() / 1e9

    step = count(lambda: model.denoiser(x, torch.ones(1), context, mask, pooled, torch.zeros(1, 2), conditions))
    decoding = count(lambda: model.autoencoder.decode(x))
    return {"gflop_per_step_36f": round(step, 3), "gflop_per_decoded_frame": round(decoding / frames, 3)}
