"""Swaps words of a prompt for words of near meaning while training. Not the table they come from (`vocabulary.py`).

There are a few thousand captions for the English language: an encoder that sees only those learns their words by heart
and forgets what the frozen table knows of all others. Words that the evaluation asks for as never seen stay unseen.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from text import Tokenizer

NEAR = 0.62  # least cosine: "cat" reaches "kitten" and "feline", not "dog"
MOST = 8
UNSEEN = Path(__file__).resolve().parent / "unseen_words.json"


class Synonyms:
    """near [V, 8]: ids of words whose vectors are close, nearest first; a word without eight repeats itself."""

    def __init__(self, table: Tensor, tokenizer: Tokenizer):
        vocabulary = tokenizer.fast.get_vocab()
        tested = set(json.loads(UNSEEN.read_text()))
        words = torch.tensor(sorted(i for word, i in vocabulary.items() if word.isalpha() and len(word) > 2 and word not in tested))
        vectors = F.normalize(table[words], dim=-1)
        self.near = torch.arange(len(table))[:, None].repeat(1, MOST)
        for chunk in torch.arange(len(words)).split(4096):
            likeness, which = (vectors[chunk] @ vectors.T).topk(MOST + 1)
            own = words[chunk][:, None]
            self.near[words[chunk]] = torch.where(likeness > NEAR, words[which], own)[:, 1:]

    def swap(self, tokens: Tensor, share: float) -> Tensor:
        """tokens [B, L] with `share` of the words swapped for one of their neighbours."""
        pick = torch.randint(MOST, tokens.shape)
        other = self.near[tokens].gather(-1, pick[..., None])[..., 0]
        return torch.where(torch.rand(tokens.shape) < share, other, tokens)
