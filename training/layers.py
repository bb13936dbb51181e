"""Layers that the autoencoder and the denoiser share. Not a model.

Activations are [B*T, C, H, W] in channels-last memory, so that `x.permute(0, 2, 3, 1)` is the page's [B, T, H, W, C].
Time is a circle: a temporal kernel at the first frame sees the last one.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPS = 1e-5


def conv(in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1, zero: bool = False) -> nn.Conv2d:
    """Per-frame convolution, (1, k, k) in the page's terms. `zero`: starts as the zero function."""
    layer = nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2)
    if zero:
        nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Softmax attention, [B, H, L, D]; `mask` is added to the logits, or says what to see. In f32 always: on a processor,
    its gradient takes four times as long in bfloat16."""
    with torch.autocast("cpu", enabled=False):
        return F.scaled_dot_product_attention(q.float(), k.float(), v.float(), attn_mask=mask)


def split_heads(x: Tensor, heads: int, parts: int) -> tuple[Tensor, ...]:
    """[B, L, parts * C] -> parts tensors [B, heads, L, C / heads]."""
    return x.unflatten(-1, (parts, heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)


class GroupNorm(nn.GroupNorm):
    """Per frame: statistics never cross frames, so frames can be decoded in chunks of any size."""

    def __init__(self, channels: int, groups: int = 8):
        super().__init__(groups, channels, eps=EPS)


class TemporalConv(nn.Module):
    """(3, 1, 1) convolution on a circle of frames. weight [C_out, C_in, 3]."""

    def __init__(self, channels: int, zero: bool = False):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, channels, 3) * (3 * channels) ** -0.5)
        self.bias = nn.Parameter(torch.zeros(channels))
        if zero:
            nn.init.zeros_(self.weight)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        """x [B*T, C, H, W] of loops of T = `frames` -> the same shape."""
        bt, c, h, w = x.shape
        x = x.permute(0, 2, 3, 1).reshape(bt // frames, frames, h * w, c)
        taps = torch.cat([x.roll(1, 1), x, x.roll(-1, 1)], dim=-1)  # frame t sees t-1, t, t+1
        y = F.linear(taps, self.weight.permute(0, 2, 1).reshape(c, 3 * c), self.bias)
        return y.reshape(bt, h, w, c).permute(0, 3, 1, 2)


class ResBlock(nn.Module):
    """GroupNorm, SiLU, 3x3 convolution, twice; a 1x1 shortcut where channels change; optional scale-shift from `emb`."""

    def __init__(self, channels: int, out_channels: int | None = None, emb: int | None = None):
        super().__init__()
        out_channels = out_channels or channels
        self.norm1 = GroupNorm(channels)
        self.conv1 = conv(channels, out_channels)
        self.norm2 = GroupNorm(out_channels)
        self.conv2 = conv(out_channels, out_channels, zero=True)
        self.shortcut = conv(channels, out_channels, 1) if channels != out_channels else None
        self.emb = nn.Linear(emb, 2 * out_channels) if emb else None
        if self.emb is not None:
            nn.init.zeros_(self.emb.weight)
            nn.init.zeros_(self.emb.bias)

    def forward(self, x: Tensor, emb: Tensor | None = None) -> Tensor:
        """`emb` [B*T, E], already through SiLU."""
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.norm2(h)
        if self.emb is not None:
            scale, shift = self.emb(emb)[:, :, None, None].chunk(2, dim=1)
            h = h * (1 + scale) + shift
        h = self.conv2(F.silu(h))
        return h + (self.shortcut(x) if self.shortcut is not None else x)


class TemporalBlock(nn.Module):
    """Residual GroupNorm, SiLU, (3, 1, 1) convolution over frames; starts as the identity."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = GroupNorm(channels)
        self.conv = TemporalConv(channels, zero=True)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        """x [B*T, C, H, W] of loops of T = `frames` -> the same shape."""
        return x + self.conv(F.silu(self.norm(x)), frames)
