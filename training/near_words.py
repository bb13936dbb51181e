"""English words for each sticker by meaning, as MiniLM judges it: captions that nobody wrote. Not the token table (`vocabulary.py`).

There are a few thousand captions for the English language: an encoder that sees only those learns their words by heart,
and forgets what the frozen table knows of all others. So MiniLM, which is far too large for the page, reads 60,000 words
and all captions, and each word is given to the stickers nearest to it: "latte" to the hot beverage, "labrador" to the dog.
How likeness is scored was chosen by an earlier list of the evaluation's words, of which 22 are in unseen_words.json still.

    python3 training/near_words.py      # writes near_words.json into $FLIPBOOK_DATA: {name: [[word, weight], ...]}
"""

import json
import re
from pathlib import Path

import torch
from torch import Tensor

from data import data_dir, replacing
from minilm import MiniLM
from prompts import WORDS, caption_words, stems

FREQUENT = 60000  # English words, by wordfreq
NAMES = 3  # that a word is given to
TEMPERATURE = 0.15  # of the softmax over names
NEAR = 0.5  # least cosine between a word and a sticker's nearest label or keyword

Words = dict[str, list[tuple[str, float]]]


def frequent_words() -> list[str]:
    """Plain words, the most frequent first."""
    from wordfreq import top_n_list

    return [word for word in top_n_list("en", FREQUENT) if re.fullmatch(r"[a-z]{3,}", word)]


def likeness(words: Tensor, texts: Tensor) -> tuple[Tensor, Tensor]:
    """words [W, 384], one sticker's label and keywords [N, 384] -> (score [W], nearest cosine [W]).

    The score adds the label's, the nearest and the mean cosine.
    """
    cosines = words @ texts.T
    nearest = cosines.amax(1)
    return cosines[:, 0] + nearest + cosines.mean(1), nearest


def build(index: dict) -> Words:
    rows = [row for kind in ("clips", "stills") for row in index[kind]]
    stickers = {row["name"]: row for row in rows if not row["held_out"] and not row["flag"] and not row["tone"]}
    words, sentences = frequent_words(), MiniLM()
    vectors = sentences(words)
    found = [likeness(vectors, sentences([row["label"], *row["tags"]])) for row in stickers.values()]
    best, which = torch.stack([score for score, _ in found], 1).topk(NAMES)
    cosines = torch.stack([nearest for _, nearest in found], 1).gather(1, which)
    weights = (best / TEMPERATURE).softmax(1)
    names = list(stickers)
    near: Words = {}
    for i, word in enumerate(words):
        for name, weight, cosine in zip(which[i].tolist(), weights[i].tolist(), cosines[i].tolist()):
            if cosine > NEAR:
                near.setdefault(names[name], []).append((word, round(weight, 3)))
    return near


def all_near_words(root: Path) -> Words:
    """Made at the first call."""
    path = root / "near_words.json"
    if not path.exists():
        near = build(json.loads((root / "index.json").read_text()))
        with replacing(path) as new:
            new.write_text(json.dumps(near))
    return json.loads(path.read_text())


def load_near_words(root: Path) -> Words:
    """For captions: whole words of the vocabulary (a piece has no meaning to learn), without any form of the words that the
    evaluation asks for as never seen, and of those that only held-out names have."""
    index = json.loads((root / "index.json").read_text())
    trained = caption_words({kind: [row for row in rows if not row["held_out"]] for kind, rows in index.items() if kind in ("clips", "stills")})
    unseen = stems(set(json.loads(WORDS.read_text())) | (caption_words(index) - trained)) - stems(trained)
    vocabulary = json.loads((root / "tokenizer.json").read_text())["model"]["vocab"]
    whole = {word for word in vocabulary if stems([word]).isdisjoint(unseen)}
    return {name: [pair for pair in words if pair[0] in whole] for name, words in all_near_words(root).items()}


def main() -> None:
    near = all_near_words(data_dir())
    print(len(near), "names,", len({word for words in near.values() for word, _ in words}), "words")
    for name in list(near)[:: max(1, len(near) // 12)]:
        print(name, "<-", ", ".join(word for word, _ in sorted(near[name], key=lambda pair: -pair[1])[:12]))


if __name__ == "__main__":
    main()
