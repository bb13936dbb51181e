"""The page's vocabulary: MiniLM's WordPiece with whole words in place of tokens that prompts for stickers never need, and a
vector for every token, distilled from MiniLM. Not the trained text encoder (`text.py`).

WordPiece cuts a rarer word into pieces ("lorry" = "lo" + "##rry") whose own vectors mean nothing. Of MiniLM's 30,522 entries
some 7,000 are unused, in other scripts, numbers, long pieces or rare words; their places go to the words of the captions,
and then to the most frequent English words that would be cut and mean something near a sticker (near_words.py). A vector is
MiniLM's pooled output for the word alone, reduced by PCA (the recipe of Model2Vec), so that words never seen in a caption
land near their meaning.

    python3 training/vocabulary.py      # writes table.pt and tokenizer.json into $FLIPBOOK_DATA
"""

import json
import re
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from data import data_dir
from minilm import MiniLM, minilm_dir
from near_words import all_near_words, frequent_words
from prompts import caption_words

TABLE = 96
SPECIAL = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
COMMON = 40000  # a token that is not among so many frequent words, nor in a caption, gives up its place


def replaceable(vocabulary: dict[str, int], needed: set[str]) -> list[int]:
    """Ids of tokens that prompts do not need: unused, other scripts, longer numbers, pieces of four letters, rare words."""

    def spare(token: str) -> bool:
        return (token.startswith("[unused") or not token.isascii() or re.fullmatch(r"\d{3,}\w*|##\d+\w*|##[a-z]{4,}", token) is not None
                or re.fullmatch(r"[a-z]{2,}", token) is not None and token not in needed)

    return sorted(i for token, i in vocabulary.items() if token not in SPECIAL and spare(token))


def build(root: Path) -> tuple[Tensor, dict]:
    """-> table [30522, 96] with unit variance overall, tokenizer.json."""
    from wordfreq import top_n_list

    sentences = MiniLM()
    described = json.loads((minilm_dir() / "tokenizer.json").read_text())
    vocabulary = described["model"]["vocab"]
    in_captions = caption_words(json.loads((root / "index.json").read_text()))
    near = {word for words in all_near_words(root).values() for word, _ in words}
    candidates = sorted(in_captions) + [word for word in frequent_words() if word in near]
    free = replaceable(vocabulary, in_captions | set(top_n_list("en", COMMON)))
    spared = set(free)
    kept = {token: i for token, i in vocabulary.items() if i not in spared}
    words = [word for word in dict.fromkeys(candidates) if re.fullmatch(r"[a-z]{3,}", word) and word not in kept][: len(free)]

    spelt = [[i] for i in range(len(vocabulary))]
    for i, pieces in zip(free, sentences.pieces(words)):
        spelt[i] = pieces
    described["model"]["vocab"] = dict(sorted({**kept, **dict(zip(words, free))}.items(), key=lambda pair: pair[1]))

    vectors = sentences.embed(spelt)
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
