"""A few steps of every trainer of what is exported, on made-up stickers; an export, its ONNX, and one clip from it in the page's engine.

    python3 training/smoke_test.py

Neither the data set, the vocabulary and the words of near meaning, nor the judge and the evaluation are made here, nor is every
tool run. Needs no network and no data set: clips are drawn here; the token table and the tokenizer are those of the shipped model.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from packing import TOKENIZER, read_tokenizer, unpack_table
from shipped import STICKER

ROOT = Path(__file__).resolve().parent.parent
# Below the root, so that the tests' server can serve it; not part of the repository.
EXPORTED = ROOT / "node_modules" / ".cache" / "smoke-model"
LIMIT = 600  # seconds a stage; it ends a hang, and measures nothing
NAMES = ["red heart", "dog face", "rocket", "grinning face", "green apple", "octopus"]


def draw(rng: np.random.Generator, frames: int) -> np.ndarray:
    """A disc of one colour that circles: uint8 [T, 128, 128, 4], premultiplied."""
    y, x = np.mgrid[:128, :128] / 64 - 1
    colour, radius, phase = rng.uniform(0.2, 1, 3), rng.uniform(0.2, 0.5), rng.uniform(0, 2 * np.pi)
    clip = np.zeros((frames, 128, 128, 4), np.float32)
    for i in range(frames):
        angle = phase + 2 * np.pi * i / frames
        alpha = np.clip((radius - np.hypot(x - 0.3 * np.cos(angle), y - 0.3 * np.sin(angle))) * 30, 0, 1)
        clip[i] = np.dstack([*(c * alpha for c in colour), alpha])
    return (clip * 255).astype(np.uint8)


def make_data(root: Path) -> None:
    """What data.py, vocabulary.py and near_words.py would have written: a handful of clips and stills, the last name held out."""
    rng = np.random.default_rng(0)
    index: dict[str, list] = {"clips": [], "stills": []}
    for kind in index:
        for i, name in enumerate(NAMES):
            index[kind].append({"file": f"{i}.webp", "name": name, "label": name, "tags": ["round", "shiny"], "tone": "",
                                "flag": False, "held_out": i == len(NAMES) - 1, "motion": 0.02 if kind == "clips" else 0.0})
    np.save(root / "clips.npy", np.stack([draw(rng, 36) for _ in NAMES]))
    np.save(root / "stills.npy", np.stack([draw(rng, 1)[0] for _ in NAMES]))
    (root / "index.json").write_text(json.dumps(index))
    torch.save(unpack_table(load_file(STICKER / "text.safetensors")), root / "table.pt")
    (root / "near_words.json").write_text(json.dumps({"red heart": [["valentine", 1.0]]}))
    (root / "tokenizer.json").write_text(json.dumps(read_tokenizer(STICKER / TOKENIZER)))


def run(title: str, command: list[str], folder: Path, env: dict[str, str]) -> None:
    began = time.time()
    done = subprocess.run(command, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, timeout=LIMIT)
    if done.returncode != 0:
        print(done.stdout[-4000:], done.stderr[-4000:], sep="\n")
        raise SystemExit(f"training smoke test: {title} failed with exit code {done.returncode}")
    print(f"  {title}: {time.time() - began:.0f} s", flush=True)


def check_training(log: Path, steps: int) -> None:
    """The last checkpoint has done `steps` steps, and its weights are finite."""
    state = torch.load(log / "checkpoint.pt", map_location="cpu", weights_only=True)
    assert state["steps"] >= steps, f"{log.name} stopped after {state['steps']} of {steps} steps"
    for name, value in state["ema"].items():
        assert torch.isfinite(value).all(), f"{log.name}: {name} is not finite"


def check_changed(before: Path, after: Path, expected: set[str]) -> None:
    """Everything but `expected`, of the encoder's two passes and the decoder's two modules, is the same bit by bit."""
    old, new = (torch.load(path, map_location="cpu", weights_only=True)["ema"] for path in (before, after))
    parts = ("encoder.refiner", "encoder", "stem", "head")
    changed = {next(part for part in parts if name.startswith(part)) for name in old if not torch.equal(old[name], new[name])}
    assert changed == expected, f"{after.parent.name}: training changed {sorted(changed)}, expected {sorted(expected)}"


def main() -> None:
    began = time.time()
    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_data(root)
        env = {"FLIPBOOK_DATA": folder, "OMP_NUM_THREADS": "2"}

        def python(*command: str) -> None:
            run(" ".join(command[:3]) if command[0] == "-m" else command[0], [sys.executable, *command], ROOT / "training", env)

        python("-m", "unittest", "discover")
        python("train_autoencoder.py", "--max-steps", "3")
        check_training(root / "autoencoder", 3)
        first, kept = root / "autoencoder" / "checkpoint.pt", root / "kept"
        python("train_autoencoder.py", "--init", str(first), "--keep", str(first), "--out", str(kept), "--max-steps", "2")
        check_training(kept, 2)
        python("align.py", str(first), str(kept / "checkpoint.pt"), str(root / "aligned.pt"), "--loops", "1")
        python("latents.py", "--minutes", "0.1", "--checkpoint", str(root / "aligned.pt"))
        python("train_layout.py", "--max-steps", "2")
        check_training(root / "layout", 2)
        python("train_denoiser.py", "--init", str(root / "layout" / "checkpoint.pt"), "--max-steps", "4", "--pictures-first", "0.25")
        check_training(root / "denoiser", 4)
        denoiser = root / "adversarial" / "checkpoint.pt"
        python("train_adversarial.py", "--init", str(root / "denoiser" / "checkpoint.pt"), "--max-steps", "4")
        check_training(denoiser.parent, 4)
        mean = root / "mean.pt"
        python("average.py", "--out", str(mean), str(root / "denoiser" / "checkpoint.pt"), str(denoiser))
        python("sample.py", "--clips", "--steps", "2", "--denoiser", str(mean), "--out", str(root / "sheet.png"), "red heart")
        refined = root / "refined" / "checkpoint.pt"
        python("train_autoencoder.py", "--refine", "--init", str(root / "aligned.pt"), "--out", str(refined.parent), "--max-steps", "2")
        check_changed(root / "aligned.pt", refined, {"encoder.refiner", "stem", "head"})
        decoder = root / "decoder"
        python("train_autoencoder.py", "--decoder-only", "--init", str(refined), "--denoiser", str(denoiser),
               "--out", str(decoder), "--max-steps", "4")
        check_changed(refined, decoder / "checkpoint.pt", {"stem", "head"})
        python("export.py", "--autoencoder", str(decoder / "checkpoint.pt"), "--denoiser", str(denoiser),
               "--version", "0.0.1", "--trained-minutes", "0", "--out", str(EXPORTED), "--fixtures", str(EXPORTED / "fixtures"))
        python("export_onnx.py", "--model", str(EXPORTED), "--out", str(EXPORTED / "onnx"))
        address = "/" + EXPORTED.relative_to(ROOT).as_posix() + "/"
        engine = ["npx", "vitest", "run", "--project", "gpu", "test/models/goldens.gpu.test.ts", "test/generate/model.gpu.test.ts"]
        run("the page's engine", engine, ROOT, {"VITE_MODEL_URL": address})
    shutil.rmtree(EXPORTED)
    print(f"training smoke test: passed in {time.time() - began:.0f} s")


if __name__ == "__main__":
    main()
