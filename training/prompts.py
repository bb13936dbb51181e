"""The prompts that the evaluation draws, always in the same order: names trained on, names held out, words never seen."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from wordnet import forms

POOL = 200  # prompts that a sample's own is to be told from
WORDS = Path(__file__).with_name("unseen_words.json")
WHO = re.compile(r"\b(man|woman|person|men|women|people)\b")
GROUPS = ["smileys", "people", "components", "animals and nature", "food and drink", "travel and places", "activities",
          "objects", "symbols", "flags"]


def plain_rows(index: dict, kind: str, held_out: bool) -> list[tuple[int, dict]]:
    """(row of the array, description) of a name's variant without skin tone, by name; no flags, which all look alike."""
    return [(i, row) for i, row in enumerate(index[kind])
            if row["held_out"] == held_out and not row["tone"] and not row["flag"]]


def seen(index: dict) -> list[tuple[str, int, dict]]:
    """Animated names that were trained on, in a fixed random order: ('clips', array row, description)."""
    rows = [("clips", i, row) for i, row in plain_rows(index, "clips", False)]
    return [rows[i] for i in np.random.default_rng(1).permutation(len(rows))]


def unseen(index: dict) -> list[tuple[str, int, dict]]:
    """Names held out from all training, animated ones and stills, in a fixed random order."""
    rows = [(kind, i, row) for kind in ("clips", "stills") for i, row in plain_rows(index, kind, True)]
    return [rows[i] for i in np.random.default_rng(2).permutation(len(rows))]


def siblings(index: dict) -> set[str]:
    """Held-out names that differ from one trained on only in who it is: a woman swimming looks like a man swimming."""
    trained = {row["name"] for kind in ("clips", "stills") for row in index[kind] if not row["held_out"]}
    anyone = {WHO.sub("", name) for name in trained}
    return {row["name"] for _, _, row in unseen(index) if WHO.sub("", row["name"]) in anyone}


def caption_words(index: dict) -> set[str]:
    """Every word that a caption can contain but prefixes, tones and motion words."""
    texts = (text for kind in ("clips", "stills") for row in index[kind] for text in (row["label"], *row["tags"]))
    return {word for text in texts for word in re.findall(r"[a-z]+", text.lower())}


def stems(words: Iterable[str]) -> set[str]:
    """The words and what they may be inflected forms of: who has seen "sedans" knows "sedan"."""
    return {form for word in words for form in forms(word) if len(form) > 2}


def unseen_words(index: dict) -> list[tuple[str, str, int, dict]]:
    """(word, kind, array row, description of the sticker it means) for the committed list; refuses words of which captions have a
    form. `near_words.load_near_words` keeps them from training's other words."""
    known = stems(caption_words(index))
    rows = {row["name"]: (kind, i, row) for kind in ("stills", "clips") for held in (False, True)
            for i, row in plain_rows(index, kind, held)}
    out = []
    for word, name in json.loads(WORDS.read_text()).items():
        if stems([word]) & known or name not in rows:
            raise SystemExit(f"unseen_words.json: {word!r} or a form of it occurs in captions, or there is no sticker {name!r}")
        out.append((word, *rows[name]))
    return out


def category(root: Path) -> dict[str, str]:
    """Name -> its group in Unicode's order of emoji."""
    entries = json.loads((root / "npm" / "emojibase-data@17.0.0" / "package" / "en" / "data.json").read_text())
    return {entry["label"]: GROUPS[entry["group"]] for entry in entries if entry.get("group") is not None}
