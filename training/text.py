"""The text encoder: tokens -> a frozen table (`vocabulary.py`) -> a small transformer. Not its training."""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from data import data_dir
from layers import attention, split_heads
from packing import read_tokenizer
from vocabulary import TABLE

LENGTH = 24  # tokens a prompt, [CLS] and [SEP] included
WIDTH = 192


class Layer(nn.Module):
    """Pre-norm transformer layer."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, 3 * width)
        self.fc2 = nn.Linear(3 * width, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x [B, L, C], mask [B, L] (1 keep)."""
        q, k, v = split_heads(self.qkv(self.norm1(x)), self.heads, 3)
        y = attention(q, k, v, mask[:, None, None, :].bool())
        x = x + self.out(y.transpose(1, 2).flatten(2))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class TextEncoder(nn.Module):
    """`table` [V, D]: a frozen vector for every token; `width`: channels of the context."""

    def __init__(self, table: Tensor | None = None, width: int = WIDTH, layers: int = 2, heads: int = 4):
        super().__init__()
        table = torch.zeros(30522, TABLE) if table is None else table
        self.register_buffer("table", table, persistent=False)  # frozen; stored once, as int8, by export.py
        self.blur = 0.0  # most noise on the table's vectors, whose variance is 1; drawn for each prompt; 0 but in training
        self.embed = nn.Linear(table.shape[1], width)
        self.position = nn.Parameter(torch.randn(LENGTH, width) * 0.02)
        self.layers = nn.ModuleList(Layer(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """tokens [B, L] int, mask [B, L] float -> context [B, L, 192], pooled [B, 192] (mean over kept tokens)."""
        words = self.table[tokens]
        if self.blur > 0:
            words = words + self.blur * torch.rand(len(words), 1, 1) * torch.randn_like(words)
        x = self.embed(words) + self.position[: tokens.shape[1]]
        for layer in self.layers:
            x = layer(x, mask)
        x = self.norm(x)
        pooled = (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return x, pooled


def trimmed(tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Without the columns that are padding in every row; the encoder's result is the same, and most prompts are short."""
    longest = int(mask.sum(1).max())
    return tokens[:, :longest], mask[:, :longest]


class Tokenizer:
    """WordPiece; pads or cuts to LENGTH. An empty prompt is [CLS] [SEP], which is also the null prompt.

    `path`: a tokenizer.json, gzipped or not; by default the one that `vocabulary.py` made.
    """

    def __init__(self, path: Path | None = None):
        from tokenizers import Tokenizer as Fast

        self.fast = Fast.from_str(json.dumps(read_tokenizer(path or data_dir() / "tokenizer.json")))
        self.fast.no_padding()
        self.fast.enable_truncation(LENGTH)

    def __call__(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        rows = [encoding.ids for encoding in self.fast.encode_batch(texts)]
        tokens = torch.zeros(len(rows), LENGTH, dtype=torch.long)
        mask = torch.zeros(len(rows), LENGTH)
        for i, ids in enumerate(rows):
            tokens[i, : len(ids)] = torch.tensor(ids)
            mask[i, : len(ids)] = 1
        return tokens, mask
