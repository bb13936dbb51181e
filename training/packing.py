"""How weights and tokenizer lie in the shipped files: fp16, large matrices as int8 with a scale for every output, gzipped JSON."""

import gzip
import json
from pathlib import Path

import torch
from torch import Tensor, nn

LARGE = 8192  # elements; smaller ones (biases, norms) would save little
TOKENIZER = "tokenizer.json.gzip"  # not .gz: static servers send that as an encoding, and a browser unpacks it unasked
SCALE = "_scale"  # `name_scale` belongs to the int8 `name`, and broadcasts over it


def pack(module: nn.Module) -> dict[str, Tensor]:
    """The module's parameters as they are stored; weights of LARGE elements or more are quantised.

    Symmetric, one scale per output (row): for a weight spread like a normal distribution the error is about 1 % of its
    size, and adds up like noise. In a filter, what rounding takes from a weight is carried on to the next one (sigma-delta): each is
    off a little more, but errors cancel where activations are even. Without it, outputs that are neighbouring pixels each
    got a shade of their own, which lay on even areas as a fine grid.
    """
    out = {}
    for name, value in module.state_dict().items():
        if not torch.isfinite(value.half()).all():
            raise SystemExit(f"{name} of {type(module).__name__} does not fit in fp16: train again, or clip it.")
        if name.endswith("weight") and value.numel() >= LARGE:
            scale = (value.flatten(1).abs().amax(1) / 127).clamp(min=1e-12).view(-1, *[1] * (value.ndim - 1))
            steps = (value / scale).flatten(1).double()
            if value.ndim > 2:
                steps = steps.cumsum(1).round().diff(dim=1, prepend=torch.zeros(len(steps), 1).double())
            out[name], out[name + SCALE] = steps.round().clamp(-127, 127).to(torch.int8).view_as(value), scale
        else:
            out[name] = value.half().contiguous()
    return out


def unpack(stored: dict[str, Tensor], prefix: str = "") -> dict[str, Tensor]:
    """Stored tensors -> f32 parameters as the page has them, every one a value of fp16. The token table is no parameter."""
    return {prefix + name: (value * stored[name + SCALE]).half().float() if value.dtype == torch.int8 else value.float()
            for name, value in stored.items() if not name.startswith("table") and not name.endswith(SCALE)}


def pack_table(table: Tensor) -> dict[str, Tensor]:
    """The token table [V, D] as int8 with one scale a column; to be stored beside the text encoder's parameters."""
    scale = table.abs().amax(0) / 127
    return {"table": (table / scale).round().to(torch.int8), "table" + SCALE: scale}


def unpack_table(stored: dict[str, Tensor]) -> Tensor:
    """Stored tensors -> the token table [V, D], f32."""
    return stored["table"].float() * stored["table" + SCALE]


def read_tokenizer(path: Path) -> dict:
    """A tokenizer.json, gzipped or not."""
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data)


def write_tokenizer(described: dict, path: Path) -> None:
    """Gzipped, the same bytes every time, and without the padding and cutting that the page does by itself."""
    text = json.dumps({**described, "padding": None, "truncation": None}, ensure_ascii=False, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
