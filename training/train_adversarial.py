"""Trains a denoiser further, so that its sampler's clips look like those of the training set.

    nice torchrun --nproc-per-node 2 training/train_adversarial.py --init CHECKPOINT --out FOLDER --minutes 70

Flow matching teaches each step the mean of what may be there, given a real clip with noise on it. A sampler's x_t is no such clip:
its errors add up, and what the last step predicts is blurred where something moves. Here a clip is sampled as on the page, from a
random step on, and the last step also learns from a critic that tells such clips from real ones (adversarial diffusion
distillation, Sauer et al. 2023; of latents, Sauer et al. 2024). The critic is not exported.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from denoiser import LATENT
from loop import Loop, add_up, arguments, mixed_precision
from sampling import SHIFT, flow_euler, times, velocity_of
from train_denoiser import (
    FOLDED_CLIP, FOLDED_PICTURE, SHORT_SHARE, Conditions, Model, clip_batch, flow_loss, picture_batch, prepare,
)

STEPS = (4, 6, 8, 8, 8, 12)  # of the sampler, drawn from; 8 is the page's default
# Logit-normal noise on what the critic sees, lest it learn the training set by heart.
NOISE_MEAN, NOISE_STD = -2.0, 1.0
CRITIC_RATE = 5e-4
WARM_UP = 60  # steps until the critic, which may start from nothing, is heard in full


class Critic(nn.Module):
    """Is a clip, of which the first frame's picture is given, real? Answers for every latent and for every 2x2 of them."""

    def __init__(self, width: int = 128):
        super().__init__()
        self.conv1 = nn.Conv3d(2 * LATENT, width, 3, padding=(0, 1, 1))
        self.near = nn.Conv2d(width, 1, 1)
        self.down = nn.Conv2d(width, width, 4, stride=2, padding=1)
        self.conv2 = nn.Conv3d(width, width, 3, padding=(0, 1, 1))
        self.conv3 = nn.Conv2d(width, width, 3, padding=1)
        self.far = nn.Conv2d(width, 1, 1)

    def forward(self, clip: Tensor, picture: Tensor) -> tuple[Tensor, Tensor]:
        """clip [B, T, 40, 16, 16], picture [B, 40, 16, 16] -> logits [B * T, 1, 16, 16] and [B * T, 1, 8, 8]."""
        b, n = clip.shape[:2]
        mix = torch.sigmoid(NOISE_MEAN + NOISE_STD * torch.randn(b, 1, 1, 1, 1))
        x = (1 - mix) * clip + mix * torch.randn_like(clip)
        x = torch.cat([x, picture[:, None].expand(-1, n, -1, -1, -1)], 2)
        x = F.leaky_relu(self.conv1(circular(x)), 0.2).transpose(1, 2).flatten(0, 1)
        near = self.near(x)
        x = F.leaky_relu(self.down(x), 0.2).unflatten(0, (b, n))
        x = F.leaky_relu(self.conv2(circular(x)), 0.2).transpose(1, 2).flatten(0, 1)
        return near.float(), self.far(F.leaky_relu(self.conv3(x), 0.2)).float()


def circular(x: Tensor) -> Tensor:
    """Frames of a loop, [B, T, C, H, W] -> [B, C, T + 2, H, W], padded by one each way."""
    return torch.cat([x[:, -1:], x, x[:, :1]], 1).transpose(1, 2)


def critic_loss(real: tuple[Tensor, ...], made: tuple[Tensor, ...]) -> Tensor:
    """Hinge loss of the logits for both (Lim & Ye 2017): 2 where it cannot tell them apart, 0 where it surely can."""
    return torch.stack([F.relu(1 - r).mean() + F.relu(1 + m).mean() for r, m in zip(real, made)]).mean()


def normalised(loss: Tensor, made: Tensor) -> Tensor:
    """Something whose gradient by `made` has the direction of the loss's, and the size of that of a mean square error of 1: a
    critic's own grows without limit (cf. the adaptive weight of Esser et al. 2021, eq. 7)."""
    slope = torch.autograd.grad(loss, made, retain_graph=True)[0].detach()
    return 2 * (made * slope / (slope.square().mean().sqrt() + 1e-12)).mean()


def sampled(model: Model, x0: Tensor, given: Conditions, rng: np.random.Generator) -> Tensor:
    """What the sampler makes of clips x0 with noise on them, from a random one of its steps on. The last step alone, which predicts
    x_0, is differentiated: through up to four, and with a critic of short clips too, clips moved more and looked worse."""
    levels = times(int(rng.choice(STEPS)), SHIFT)
    start = int(rng.integers(len(levels) - 1))
    x = (1 - levels[start]) * x0 + levels[start] * torch.randn_like(x0)

    context, pooled = model.text(given.tokens, given.mask)
    prompts = context, given.mask, pooled
    velocity = velocity_of(model.denoiser, prompts, prompts, given.motion, given.spatial, guidance=1)
    with torch.no_grad():
        x = flow_euler(velocity, x, levels[start:-1])
    return flow_euler(velocity, x, levels[-2:])


def main() -> None:
    parser = arguments(__doc__, "adversarial", minutes=70)
    parser.add_argument("--clip-share", type=float, default=0.7, help="of the steps")
    parser.add_argument("--short-share", type=float, default=SHORT_SHARE, help="of the clips' steps; the critic sees none of those")
    parser.add_argument("--weight", type=float, default=0.15, help="of the critic, beside a mean square error of 1")
    args = parser.parse_args()
    if not args.init:
        parser.error("this trains a denoiser further: name its checkpoint with --init")
    torch.manual_seed(0)
    latents, tokenizer, model, extra = prepare(args)
    critic = Critic()
    optimizer = torch.optim.AdamW(critic.parameters(), lr=CRITIC_RATE, betas=(0.5, 0.99))
    loop = Loop(model, args, {**extra, "critic": critic.state_dict()})
    before = torch.load(args.out / "checkpoint.pt" if loop.steps > 0 else args.init, weights_only=True)
    if "critic" in before:
        critic.load_state_dict(before["critic"])
    if loop.steps > 0 and "critic_optimizer" in before:  # with --init all optimisers start afresh
        optimizer.load_state_dict(before["critic_optimizer"])
    # Of this process; and of all, which must take the same kind of step, and as many steps of the sampler.
    rng, common = np.random.default_rng([loop.steps, loop.rank]), np.random.default_rng([loop.steps, loop.size])
    torch.manual_seed(loop.steps * loop.size + loop.rank)
    for step in loop:
        clips = common.random() < args.clip_share
        short = common.random() < args.short_share
        if clips:
            x0, given, null = clip_batch(latents, tokenizer, loop.size, short, rng)
        else:
            x0, given, null = picture_batch(latents, tokenizer, loop.size, rng)
        with mixed_precision():
            loss = flow_loss(model, x0, given, null, FOLDED_CLIP if clips else FOLDED_PICTURE)
        if not clips or short:
            loop.step(loss, **{"short_loss" if clips else "picture_loss": loss.item()})
            continue
        picture = given.spatial[:, 0, LATENT + 1 : -3]
        with mixed_precision():
            made = sampled(model, x0, given, common)
            doubt = critic_loss(critic(x0, picture), critic(made.detach(), picture))
        optimizer.zero_grad(set_to_none=True)
        doubt.backward()
        if loop.size > 1:
            add_up([p.grad for p in critic.parameters()], loop.size)
        optimizer.step()
        loop.extra["critic_optimizer"] = optimizer.state_dict()  # it has none before its first step
        with mixed_precision():
            disbelief = -torch.stack([logits.mean() for logits in critic(made, picture)]).mean()
        share = args.weight * min(1.0, step / WARM_UP)
        loop.step(loss + share * normalised(disbelief, made), clip_loss=loss.item(), doubt=doubt.item(), disbelief=disbelief.item())


if __name__ == "__main__":
    main()
