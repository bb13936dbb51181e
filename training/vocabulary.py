"""The page's vocabulary: MiniLM's WordPiece with whole words in place of tokens that prompts for stickers never need, and a
vector for every token, distilled from MiniLM. Not the trained text encoder (`text.py`).

WordPiece cuts a rarer word into pieces ("lorry" = "lo" + "##rry") whose own vectors mean nothing. So of MiniLM's 30,522
entries those that are unused, in other scripts, numbers and long pieces give their places to words, and among words the
captions' come first, then the frequent ones, where a thing that one can see (`wordnet.py`) needs a hundredth of the frequency
that a name needs. A vector is MiniLM's pooled output for the word alone, reduced by PCA (the recipe of Model2Vec), so that
words never seen in a caption land near their meaning.

    python3 training/vocabulary.py      # writes table.pt and tokenizer.json into $FLIPBOOK_DATA
"""

import json
import re
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from data import data_dir, replacing
from minilm import MiniLM, minilm_dir
from packing import pack_table, unpack_table
from prompts import caption_words
from wordnet import WordNet

TABLE = 96
SPECIAL = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
WORD = re.compile(r"[a-z]{3,}")
FREQUENT = 200000  # English words that are ranked
SPARE = re.compile(r"\[unused.*|\d{3,}\w*|##\d+\w*|##[a-z]{4,}|.*[^ -~].*")  # tokens that prompts do not need


def ranked_words(root: Path) -> list[str]:
    """The captions' words, then English ones by how often they occur (a power of ten is 1), things before names."""
    from wordfreq import top_n_list, zipf_frequency

    wordnet = WordNet(root)

    def rank(word: str) -> float:
        kind = 1 if wordnet.visible(word) else 0 if wordnet.knows(word) else -1
        return zipf_frequency(word, "en") + kind

    words = sorted(top_n_list("en", FREQUENT), key=rank, reverse=True)
    in_captions = sorted(caption_words(json.loads((root / "index.json").read_text())))
    return [word for word in dict.fromkeys([*in_captions, *words]) if WORD.fullmatch(word)]


def build(root: Path) -> tuple[Tensor, dict]:
    """-> table [30522, 96] with unit variance overall, tokenizer.json."""
    sentences = MiniLM()
    described = json.loads((minilm_dir() / "tokenizer.json").read_text())
    vocabulary = described["model"]["vocab"]
    places = {token: i for token, i in vocabulary.items()
              if token not in SPECIAL and (WORD.fullmatch(token) or SPARE.fullmatch(token))}
    words = ranked_words(root)[: len(places)]
    stay = {word for word in words if word in places}
    free = sorted(i for token, i in places.items() if token not in stay)
    new = [word for word in words if word not in stay]
    kept = {token: i for token, i in vocabulary.items() if token not in places or token in stay}

    spelt = [[i] for i in range(len(vocabulary))]
    for i, pieces in zip(free, sentences.pieces(new)):
        spelt[i] = pieces
    described["model"]["vocab"] = dict(sorted({**kept, **dict(zip(new, free))}.items(), key=lambda pair: pair[1]))

    vectors = sentences.embed(spelt)
    vectors = vectors - vectors.mean(0)
    generator = torch.Generator().manual_seed(0)
    _, _, components = torch.linalg.svd(vectors[torch.randperm(len(vectors), generator=generator)[:8192]], full_matrices=False)
    reduced = vectors @ components[:TABLE].T
    return reduced / reduced.std(), described


def load_table(root: Path) -> Tensor:
    """[30522, 96], rounded as on the page. Made at the first call, together with tokenizer.json."""
    if not (root / "table.pt").exists():
        table, described = build(root)
        with replacing(root / "tokenizer.json") as draft:
            draft.write_text(json.dumps(described, ensure_ascii=False))
        with replacing(root / "table.pt") as draft:
            torch.save(table, draft)
    return unpack_table(pack_table(torch.load(root / "table.pt", weights_only=True)))


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
