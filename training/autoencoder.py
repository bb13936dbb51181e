"""The autoencoder: premultiplied RGBA loops <-> latents, 4x in time and 8x8 in space. Not its training.

Latent diffusion's first stage (Rombach et al. 2022), non-causal and circular in time. A still is a loop of 4 equal frames.
The decoder is two modules: `stem` sees the whole loop at 16x16, `head` works frame by frame, so that the page
decodes in chunks of any size with the same result.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from layers import GroupNorm, ResBlock, TemporalBlock, conv

TIME = 4  # frames per latent frame
SPACE = 8  # pixels per latent position
CHANNELS = 40
ERROR_GAIN = 8  # errors are small; the second pass sees them about as large as the picture


class Pass(nn.Module):
    """One pass of the encoder: `images` RGBA images per frame, unshuffled to 32x32 -> latents.

    `wide`: channels once time is compressed, where a channel costs a quarter of what it costs before; `depth`: blocks there.
    `zero`: its latents start as zero.
    """

    def __init__(self, images: int, low: int, high: int, latent: int, wide: int, depth: int, zero: bool = False):
        super().__init__()
        self.conv_in = conv(images * 64, low)
        self.block1 = ResBlock(low)
        self.down = conv(low, high, 3, stride=2)
        self.block2 = ResBlock(high)
        self.time_down = nn.Linear(TIME * high, wide)
        for i in range(1, depth + 1):
            self.add_module(f"time{i}", TemporalBlock(wide))
            self.add_module(f"block{i + 2}", ResBlock(wide))
        self.depth = depth
        self.norm_out = GroupNorm(wide)
        self.conv_out = conv(wide, latent, zero=zero)

    def features(self, *images: Tensor) -> Tensor:
        """Frame by frame: images [N, 4, 128, 128] around 0 -> [N, 128, 16, 16]."""
        x = torch.cat([F.pixel_unshuffle(image, 4) for image in images], 1)  # [N, 64 per image, 32, 32]
        x = self.block1(self.conv_in(x.contiguous(memory_format=torch.channels_last)))
        return self.block2(self.down(x))

    def compress(self, x: Tensor, frames: int) -> Tensor:
        """Loops of `frames` frames: [B*T, 128, 16, 16] -> latents [B*T/4, 40, 16, 16]."""
        bt, c, h, w = x.shape
        x = x.permute(0, 2, 3, 1).reshape(bt // TIME, TIME, h, w, c).permute(0, 2, 3, 1, 4)
        x = self.time_down(x.reshape(bt // TIME, h, w, TIME * c)).permute(0, 3, 1, 2)  # [B*T/4, 256, 16, 16]
        for i in range(1, self.depth + 1):
            x = self.get_submodule(f"block{i + 2}")(self.get_submodule(f"time{i}")(x, frames // TIME))
        return self.conv_out(F.silu(self.norm_out(x)))


class Encoder(Pass):
    """The first pass, with the second one as `refiner`, which is told what the decoder makes of the first one's latents and
    corrects them: iterative amortised inference (Marino et al. 2018) of one iteration.
    """

    def __init__(self, low: int = 64, high: int = 128, latent: int = CHANNELS, wide: int = 256):
        super().__init__(1, low, high, latent, wide, depth=3)
        self.refiner = Pass(2, low, high, latent, wide, depth=2, zero=True)

    def encode(self, rgba: Tensor) -> Tensor:
        """The first pass. rgba [B, T, 4, H, W] in 0..1, T a multiple of 4 -> [B, T/4, 40, H/8, W/8]."""
        return self.compress(self.features(centred(rgba)), rgba.shape[1]).unflatten(0, latent_frames(rgba))

    def correction(self, rgba: Tensor, error: Tensor) -> Tensor:
        """The second pass: what to add to latents of which the decoder makes rgba - error."""
        x = self.refiner.features(centred(rgba), ERROR_GAIN * error.flatten(0, 1))
        return self.refiner.compress(x, rgba.shape[1]).unflatten(0, latent_frames(rgba))


def centred(rgba: Tensor) -> Tensor:
    """[B, T, 4, H, W] in 0..1 -> [B*T, 4, H, W] in -1..1."""
    return rgba.flatten(0, 1) * 2 - 1


def latent_frames(rgba: Tensor) -> tuple[int, int]:
    return rgba.shape[0], rgba.shape[1] // TIME


class Stem(nn.Module):
    """Latents of a whole loop -> features of every frame at 16x16."""

    def __init__(self, high: int = 128, latent: int = CHANNELS):
        super().__init__()
        self.conv_in = conv(latent, high)
        self.block1 = ResBlock(high)
        self.time1 = TemporalBlock(high)
        self.block2 = ResBlock(high)
        self.time_up = nn.Linear(high, TIME * high)
        self.time2 = TemporalBlock(high)
        self.time3 = TemporalBlock(high)  # three reach over a whole latent frame, without which motion jerks between two
        self.time4 = TemporalBlock(high)

    def forward(self, z: Tensor, latent_frames: int) -> Tensor:
        """z [B*T/4, 40, 16, 16] -> [B*T, 128, 16, 16]."""
        x = self.block1(self.conv_in(z))
        x = self.block2(self.time1(x, latent_frames))
        n, c, h, w = x.shape
        x = self.time_up(x.permute(0, 2, 3, 1)).reshape(n, h, w, TIME, c).permute(0, 3, 4, 1, 2)
        x = x.reshape(n * TIME, c, h, w).contiguous(memory_format=torch.channels_last)
        for block in (self.time2, self.time3, self.time4):
            x = block(x, latent_frames * TIME)
        return x


class Head(nn.Module):
    """Features of one frame -> the frame."""

    def __init__(self, low: int = 64, high: int = 128):
        super().__init__()
        self.block1 = ResBlock(high)
        self.up = conv(high, 4 * low, 1)
        self.block2 = ResBlock(low)
        self.norm_out = GroupNorm(low)
        self.conv_out = conv(low, 64)

    def forward(self, x: Tensor) -> Tensor:
        """[N, 128, 16, 16] -> premultiplied RGBA [N, 4, 128, 128]; may leave 0..1 a little, the page clamps."""
        x = F.pixel_shuffle(self.up(self.block1(x)), 2)  # [N, 64, 32, 32]
        x = self.conv_out(F.silu(self.norm_out(self.block2(x))))
        return F.pixel_shuffle(x, 4) * 0.5 + 0.5


class Autoencoder(nn.Module):
    """`low`: channels at 32x32; `high`: at 16x16; `wide`: of the encoder once time is compressed; `latent`: of the latents."""

    def __init__(self, low: int = 64, high: int = 128, latent: int = CHANNELS, wide: int = 256):
        super().__init__()
        self.encoder = Encoder(low, high, latent, wide)
        self.stem = Stem(high, latent)
        self.head = Head(low, high)

    def encode(self, rgba: Tensor) -> Tensor:
        """rgba [B, T, 4, H, W] in 0..1 -> z [B, T/4, 40, H/8, W/8]."""
        z = self.encoder.encode(rgba)
        return z + self.correction(rgba, z)

    def correction(self, rgba: Tensor, z: Tensor) -> Tensor:
        """Of the first pass's latents `z`. The error is given, not differentiated: the decoder learns from what it draws last."""
        with torch.no_grad():
            error = rgba - self.decode(z)
        return self.encoder.correction(rgba, error)

    def decode(self, z: Tensor) -> Tensor:
        """z [B, T/4, 40, H/8, W/8] -> [B, T, 4, H, W]."""
        b, n = z.shape[:2]
        x = self.stem(z.flatten(0, 1).contiguous(memory_format=torch.channels_last), n)
        return self.head(x).unflatten(0, (b, n * TIME))
