"""The denoiser: a factorised space-time U-Net over latents, for pictures and loops with one set of weights. Not its training.

Video diffusion as in VDM (Ho et al. 2022): spatial layers work frame by frame and are shared with single pictures,
temporal layers mix frames and are skipped for a picture. Time and pooled text modulate norms (AdaLN, Peebles & Xie
2023); words are attended to. Pictures come first, then clips given the picture (Emu Video, Girdhar et al. 2023).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autoencoder import CHANNELS
from layers import GroupNorm, ResBlock, TemporalBlock, attention, conv, split_heads
from text import WIDTH as TEXT

LATENT = CHANNELS
OUTLINE = 12  # the first latents, which hold most of outline and colour; the others hold detail
LEAST = 0.05  # t below which a velocity of detail is no longer divided by t
# Channels of the input: noisy latents, known latents, is it known, the picture, anchor frame, is a picture given, is it a clip.
INPUT = 3 * LATENT + 4
REACH = 4  # latent frames that the temporal bias tells apart, each way


class Attention(nn.Module):
    """Multi-head self-attention with a fused qkv projection; `bias` [heads, L, L] is added to the logits."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """x [N, L, C]."""
        q, k, v = split_heads(self.qkv(x), self.heads, 3)
        return self.out(attention(q, k, v, bias).transpose(1, 2).flatten(2))


class CrossAttention(nn.Module):
    """Every position attends to the prompt's tokens. Keys and values depend on the prompt alone."""

    def __init__(self, width: int, heads: int, context: int):
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(width, width)
        self.kv = nn.Linear(context, 2 * width)
        self.out = nn.Linear(width, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, context: Tensor, mask: Tensor) -> Tensor:
        """x [B, N, C], context [B, L, 192], mask [B, L]."""
        q = self.q(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        k, v = split_heads(self.kv(context), self.heads, 2)
        y = attention(q, k, v, mask[:, None, None, :].bool())
        return self.out(y.transpose(1, 2).flatten(2))


def circular_offsets(frames: int) -> Tensor:
    """[T, T] index into 2 * REACH + 1 biases: the signed way round the circle from frame i to frame j, clamped."""
    i = torch.arange(frames)
    d = (i[None, :] - i[:, None]) % frames
    offset = torch.where(d * 2 <= frames, d, d - frames)
    return offset.clamp(-REACH, REACH) + REACH


class Block(nn.Module):
    """Spatial self-attention, cross-attention, temporal self-attention, MLP; each pre-norm and residual."""

    def __init__(self, width: int, heads: int, emb: int, context: int, mlp: int = 3):
        super().__init__()
        self.modulation = nn.Linear(emb, 4 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)
        self.norm1 = nn.LayerNorm(width, elementwise_affine=False)
        self.spatial = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.cross = CrossAttention(width, heads, context)
        self.norm3 = nn.LayerNorm(width)
        self.temporal = Attention(width, heads)
        self.temporal_bias = nn.Parameter(torch.zeros(heads, 2 * REACH + 1))
        self.norm4 = nn.LayerNorm(width, elementwise_affine=False)
        self.fc1 = nn.Linear(width, mlp * width)
        self.fc2 = nn.Linear(mlp * width, width)
        nn.init.zeros_(self.fc2.weight)
        nn.init.zeros_(self.fc2.bias)

    def forward(self, x: Tensor, emb: Tensor, context: Tensor, mask: Tensor) -> Tensor:
        """x [B, T, N, C], emb [B, E] (already through SiLU)."""
        b, t, n, c = x.shape
        scale1, shift1, scale2, shift2 = self.modulation(emb)[:, None, None, :].chunk(4, dim=-1)
        h = self.norm1(x) * (1 + scale1) + shift1
        x = x + self.spatial(h.reshape(b * t, n, c)).reshape(b, t, n, c)
        x = x + self.cross(self.norm2(x).reshape(b, t * n, c), context, mask).reshape(b, t, n, c)
        if t > 1:
            h = self.norm3(x).transpose(1, 2).reshape(b * n, t, c)
            bias = self.temporal_bias[:, circular_offsets(t)]
            x = x + self.temporal(h, bias).reshape(b, n, t, c).transpose(1, 2)
        h = self.norm4(x) * (1 + scale2) + shift2
        return x + self.fc2(F.gelu(self.fc1(h)))


def timestep_embedding(t: Tensor, dim: int) -> Tensor:
    """t [B] in 0..1 -> [B, dim]: cosines, then sines, of 1000 t at `dim / 2` frequencies from 1 down to 1/10000."""
    freqs = torch.exp(-math.log(10000) * torch.arange(dim // 2, device=t.device) / (dim // 2))
    angles = 1000 * t[:, None] * freqs
    return torch.cat([angles.cos(), angles.sin()], dim=1)


class Denoiser(nn.Module):
    """`low`, `width`: channels at 16x16 and at 8x8; `context`: channels of the encoded prompt; `layout`: hidden features and channels
    of the average picture (see the method)."""

    def __init__(self, low: int = 64, width: int = 256, blocks: int = 5, heads: int = 4, emb: int = 256, context: int = TEXT,
                 layout: tuple[int, int] = (512, 4 * OUTLINE)):
        super().__init__()
        self.emb = emb
        self.time1 = nn.Linear(emb, emb)
        self.time2 = nn.Linear(emb, emb)
        self.pooled = nn.Linear(context, emb)
        self.motion = nn.Linear(2, emb, bias=False)
        self.conv_in = conv(INPUT, low)
        self.res_in = ResBlock(low, emb=emb)
        self.temporal_in = TemporalBlock(low)
        self.down = nn.Linear(4 * low, width)
        self.position = nn.Parameter(torch.randn(64, width) * 0.02)
        self.layout1 = nn.Linear(context, layout[0])
        self.layout2 = nn.Linear(layout[0], 64 * layout[1])
        self.layout3 = nn.Linear(layout[1], width, bias=False)
        nn.init.zeros_(self.layout3.weight)
        self.blocks = nn.ModuleList(Block(width, heads, emb, context) for _ in range(blocks))
        self.up_norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * low)
        self.res_out = ResBlock(2 * low, low, emb=emb)
        self.temporal_out = TemporalBlock(low)
        self.norm_out = GroupNorm(low)
        self.conv_out = conv(low, LATENT, zero=True)
        self.gates = nn.Linear(emb, 2 * LATENT)
        nn.init.zeros_(self.gates.weight)
        nn.init.zeros_(self.gates.bias)

    def layout(self, pooled: Tensor) -> Tensor:
        """pooled [B, 192] -> [B, 64, 48]: the average picture of the prompt, as OUTLINE latents with 2x2 pixels folded into channels.

        Attention and AdaLN, which know positions apart from words, take far longer to learn an outline.
        """
        return self.layout2(F.silu(self.layout1(pooled))).unflatten(1, (64, -1))

    def forward(self, x: Tensor, t: Tensor, context: Tensor, mask: Tensor, pooled: Tensor, motion: Tensor,
                conditions: Tensor) -> Tensor:
        """The velocity (noise - latents) of flow matching, of everything. Arguments as of `predict`."""
        output = self.predict(x, t, context, mask, pooled, motion, conditions)
        detail = (x - output)[:, :, OUTLINE:] / t.clamp(min=LEAST).view(-1, 1, 1, 1, 1)
        return torch.cat([output[:, :, :OUTLINE], detail], dim=2)

    def predict(self, x: Tensor, t: Tensor, context: Tensor, mask: Tensor, pooled: Tensor, motion: Tensor,
                conditions: Tensor) -> Tensor:
        """Of OUTLINE the velocity, of detail the latents themselves, as x.

        A velocity holds the noise of every latent, which the 64 channels here would have to carry from one end to the other
        for 40: what is lost of it stays in the picture as grain. Latents have far less in them (Li & He 2025).

        x [B, T, 40, 16, 16] noisy latents, t [B] in 0..1 (1 is noise), context [B, L, 192], mask [B, L], pooled
        [B, 192], motion [B, 2] (amount, is it given), conditions [B, T, 84, 16, 16] (see INPUT).
        """
        b, n = x.shape[:2]
        emb = self.time2(F.silu(self.time1(timestep_embedding(t, self.emb))))
        emb = F.silu(emb + self.pooled(pooled) + self.motion(motion))  # [B, E]
        per_frame = emb.repeat_interleave(n, 0)
        h = torch.cat([x, conditions], dim=2).flatten(0, 1).contiguous(memory_format=torch.channels_last)
        h = self.res_in(self.conv_in(h), per_frame)  # [B*T, 64, 16, 16]
        if n > 1:
            h = self.temporal_in(h, n)
        skip = h
        h = F.pixel_unshuffle(h, 2).permute(0, 2, 3, 1)  # [B*T, 8, 8, 256]
        side = h.shape[1]
        h = self.down(h).reshape(b, n, side * side, -1) + self.position
        if n == 1:
            h = h + self.layout3(self.layout(pooled))[:, None]  # a clip has its picture instead
        for block in self.blocks:
            h = block(h, emb, context, mask)
        h = self.up(self.up_norm(h)).reshape(b * n, side, side, -1).permute(0, 3, 1, 2)
        h = torch.cat([F.pixel_shuffle(h, 2), skip], dim=1)  # [B*T, 128, 16, 16]
        h = self.res_out(h, per_frame)
        if n > 1:
            h = self.temporal_out(h, n)
        h = self.conv_out(F.silu(self.norm_out(h))).unflatten(0, (b, n))
        return h + self.bypass(x, conditions, emb)

    def bypass(self, x: Tensor, conditions: Tensor, emb: Tensor) -> Tensor:
        """What goes past the network: each latent of x and of a clip's picture, as much of it as the time says.

        Without it 64 channels have to carry 40 latents and as many of the picture through, and lose some at any time: their
        error does not fall with the noise. As in EDM (Karras et al. 2022, eq. 7), but learnt.
        """
        b, _, c = x.shape[:3]
        noisy, moving = self.gates(emb).view(b, 2, 1, c, 1, 1).unbind(1)
        picture, clip = conditions[:, :, c + 1 : -3], conditions[:, :, -1:]
        return noisy * x + moving * clip * picture


def picture_conditions(x: Tensor, known: Tensor | None = None, known_mask: Tensor | None = None,
                       sketch: Tensor | None = None) -> Tensor:
    """Conditions for making a picture x [B, 1, 40, 16, 16] from text: not a clip. `known` as in `clip_conditions`.

    sketch [B, 40, 16, 16] holds latents of what the picture is to look like, roughly (`degrade.py`); 0 where there is none.
    """
    given, mask = known_part(x, known, known_mask)
    rough = torch.zeros_like(x) if sketch is None else sketch[:, None]
    return torch.cat([given, mask, rough, torch.zeros(*x.shape[:2], 3, *x.shape[3:])], dim=2)


def clip_conditions(x: Tensor, picture: Tensor, known: Tensor | None = None, known_mask: Tensor | None = None) -> Tensor:
    """Conditions for making a clip that starts from `picture` [B, 40, 16, 16].

    known [B, T, 40, 16, 16] with known_mask [B, T, 1, 16, 16] (1 where known) hold latents that are given.
    """
    b, n, _, h, w = x.shape
    given, mask = known_part(x, known, known_mask)
    anchor = torch.zeros(b, n, 1, h, w)
    anchor[:, 0] = 1
    ones = torch.ones(b, n, 1, h, w)
    return torch.cat([given, mask, picture[:, None].expand(-1, n, -1, -1, -1), anchor, ones, ones], dim=2)


def known_part(x: Tensor, known: Tensor | None, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """-> (known latents [B, T, 40, 16, 16], 0 where nothing is known; mask [B, T, 1, 16, 16]), all 0 where either is not given."""
    if known is None or mask is None:
        return torch.zeros_like(x), torch.zeros_like(x[:, :, :1])
    return known * mask, mask
