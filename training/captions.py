"""Captions drawn from a sticker's name, keywords, words of near meaning, skin tone and motion. Not tokenisation (`text.py`)."""

from collections.abc import Sequence

import numpy as np

from motion import MOTIONS

PREFIXES = ["a ", "an animated ", "a sticker of a ", "a cute ", "the ", "emoji of "]


def label(row: dict) -> str:
    """What a sticker is called in a prompt; `row` as in index.json."""
    return row["label"].replace("flag: ", "flag of ")


def draw_caption(row: dict, rng: np.random.Generator, near: Sequence[tuple[str, float]] = (), near_share: float = 0.0) -> str:
    """`row` as in index.json; a key 'motion_name' names synthetic motion, which the caption then mostly mentions.

    `near_share` of the captions are one of the words `near` (with their weights, see near_words.py) in place of the name.
    """
    name = label(row)
    tags = list(row["tags"])
    rng.shuffle(tags)
    kind = rng.random()
    if near and rng.random() < near_share:
        weights = np.array([weight for _, weight in near])
        text = near[rng.choice(len(near), p=weights / weights.sum())][0]
    elif kind < 0.6 or not tags:
        text = name
    elif kind < 0.8:
        text = ", ".join([name, *tags[: rng.integers(1, 4)]])
    else:
        text = " ".join(tags[: rng.integers(1, 4)])
    if row["tone"] and rng.random() < 0.8:
        text = f"{text}, {row['tone']}" if rng.random() < 0.5 else f"{row['tone']} {text}"
    if row.get("motion_name") and rng.random() < 0.9:
        words = MOTIONS[row["motion_name"]][0]
        word = words[rng.integers(len(words))]
        text = f"{text} {word}" if rng.random() < 0.5 else f"{word} {text}"
    if rng.random() < 0.25:
        text = PREFIXES[rng.integers(len(PREFIXES))] + text
    return text
