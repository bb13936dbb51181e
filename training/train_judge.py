"""Trains the judge of `evaluate.py` on real stickers, once; it is cached in $FLIPBOOK_DATA/judge. Not the model's training.

    nice python3 training/train_judge.py --minutes 6      # describes frames; resumes; then trains the heads

Describing is the slow part: a frozen network's view of 4 frames of every loop, plain and then mirrored, shifted and over
a random colour, and of stills, plain and in synthetic motion. Heads train on these in seconds a thousand steps. Names
that are held out from the model's training are held out here too: top-10 retrieval on them is the judge's accuracy.
A run cut short has a fair sample of varied views, which come in random order after all plain ones; before those are there,
nothing is trained.
"""

import argparse
import hashlib
import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from captions import draw_caption, label
from data import data_dir, replacing, to_float
from dataset import jitter
from judge import FRAMES, REDUCED, Backbone, Judge, over, pick_frames
from metrics import motion, retrieval
from motion import MOTIONS, animate
from prompts import POOL, seen, unseen
from text import Tokenizer
from vocabulary import load_table

TINY = 24  # pixels of the pictures that samples are compared with, to find copies
BATCH = 192
CAPTIONS = 8  # drawn of every item


def plan(index: dict) -> list[dict]:
    """What to describe, in order; plain views first. Of every name's skin tones one, by chance."""
    rng = np.random.default_rng(0)
    clips = [{"kind": "clips", "i": i, "row": row} for i, row in enumerate(index["clips"]) if not row["tone"]]
    toned: dict[str, list] = {}
    for i, row in enumerate(index["clips"]):
        if row["tone"] and not row["held_out"]:
            toned.setdefault(row["name"], []).append({"kind": "clips", "i": i, "row": row})
    clips += [group[rng.integers(len(group))] for group in toned.values()]
    stills = [{"kind": "stills", "i": i, "row": row} for i, row in enumerate(index["stills"]) if not row["flag"]]
    names = list(MOTIONS)
    moving = [{**item, "view": 2, "row": {**item["row"], "motion_name": names[rng.integers(len(names))]}}
              for item in stills if not item["row"]["held_out"] and rng.random() < 0.4]
    plain = [{**item, "view": 0} for item in stills + clips]
    varied = [{**item, "view": 1} for item in stills + clips if not item["row"]["held_out"]] + moving
    return plain + [varied[i] for i in rng.permutation(len(varied))]


def frames_of(item: dict, clips: np.ndarray, stills: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, dict]:
    """RGB frames [4 or 1, 3, 128, 128] of an item, and, of the plain view, its motion and tiny pictures."""
    source = clips[item["i"]] if item["kind"] == "clips" else stills[item["i"]][None]
    if item["view"] == 0:
        clip = to_float(source)
        frames = over(pick_frames(clip))
        return frames, {"motion": motion(clip) if len(clip) > 1 else None, "tiny": tiny(frames)}
    if item["view"] == 2:
        picked = animate(to_float(jitter(source, rng))[0], item["row"]["motion_name"], FRAMES, rng.random())
    else:
        picked = pick_frames(to_float(jitter(source, rng)))
    return over(picked, torch.from_numpy(rng.random((3, 1, 1))).float()), {}


def tiny(frames: Tensor) -> Tensor:
    return (F.interpolate(frames, size=(TINY, TINY), mode="area") * 255).round().byte()


def describe(root: Path, folder: Path, seconds: float) -> list[dict]:
    """Goes on where the last call stopped, for at most `seconds`. -> items with 'described' [T, 1440] f16."""
    index = json.loads((root / "index.json").read_text())
    items, path = plan(index), folder / "described.pt"
    done = torch.load(path, weights_only=True) if path.exists() else []
    if len(done) >= len(items):
        return done
    clips, stills = (np.load(root / f"{name}.npy", mmap_mode="r") for name in ("clips", "stills"))

    def keep() -> None:
        with replacing(path) as draft:
            torch.save(done, draft)
        print(f"described {len(done)} of {len(items)}", flush=True)

    backbone, began, saved = Backbone(), time.time(), time.time()
    while len(done) < len(items) and time.time() - began < seconds:
        rng = np.random.default_rng([3, len(done)])
        group = items[len(done) : len(done) + 8]
        parts = [frames_of(item, clips, stills, rng) for item in group]
        described = backbone(torch.cat([frames for frames, _ in parts])).half()
        for item, (frames, extra), row in zip(group, parts, described.split([len(frames) for frames, _ in parts])):
            done.append({**item, **extra, "described": row.clone()})
        if time.time() - saved > 60 or len(done) >= len(items):
            keep()
            saved = time.time()
    keep()
    return done


def fit_components(judge: Judge, items: list[dict]) -> None:
    """Whitening PCA of the training items' descriptions, with small components held down."""
    x = torch.cat([item["described"] for item in items]).float()
    judge.mean.copy_(x.mean(0))
    values, vectors = torch.linalg.eigh((x - judge.mean).T @ (x - judge.mean) / len(x))
    values, vectors = values.flip(0)[:REDUCED].clamp(min=0), vectors.flip(1)[:, :REDUCED]
    judge.components.copy_(vectors / (values + values.mean() * 0.3).sqrt())


def reduced(judge: Judge, items: list[dict]) -> Tensor:
    return torch.cat([judge.reduce(item["described"].float()[None]) for item in items])


def fit_heads(judge: Judge, items: list[dict], tokenizer: Tokenizer, steps: int) -> float:
    """Symmetric InfoNCE over batches of distinct names. -> mean loss of the last tenth."""
    rng, x = np.random.default_rng(0), reduced(judge, items)
    groups: dict[str, list[int]] = {}
    for i, item in enumerate(items):
        groups.setdefault(item["row"]["name"], []).append(i)
    names = list(groups.values())
    optimizer = torch.optim.AdamW(judge.parameters(), lr=2e-3, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps, pct_start=0.1)
    tokens, mask = tokenizer([draw_caption(item["row"], rng) for item in items for _ in range(CAPTIONS)])
    losses = []
    judge.train()
    for _ in range(steps):
        picked = [names[i][rng.integers(len(names[i]))] for i in rng.choice(len(names), min(BATCH, len(names)), replace=False)]
        said = [i * CAPTIONS + rng.integers(CAPTIONS) for i in picked]
        scores = judge.video(x[picked]) @ judge.text(tokens[said], mask[said]).T * judge.scale.exp().clamp(max=100)
        target = torch.arange(len(picked))
        loss = (F.cross_entropy(scores, target) + F.cross_entropy(scores.T, target)) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    judge.eval()
    return float(np.mean(losses[-max(1, steps // 10):]))


@torch.no_grad()
def accuracy(judge: Judge, items: list[dict], index: dict, tokenizer: Tokenizer) -> dict[str, float]:
    """Top-1 and top-10 of real stickers among 200 names: held-out ones (with names trained on as the rest), and varied
    views of names trained on."""
    first = {(item["kind"], item["i"], item["view"]): item for item in items}
    held = unseen(index)
    pool = (held + [entry for entry in seen(index) if ("clips", entry[1], 1) in first])[:POOL]
    texts = judge.text(*tokenizer([label(row) for _, _, row in pool]))
    out = {}
    for name, view, rows in (("held_out", 0, range(len(held))), ("trained", 1, range(len(held), len(pool)))):
        known = [j for j in rows if (pool[j][0], pool[j][1], view) in first]
        if not known:
            continue
        videos = judge.video(reduced(judge, [first[(pool[j][0], pool[j][1], view)] for j in known]))
        for top in (1, 10):
            out[f"{name}_top{top}"] = round(retrieval(videos, texts, torch.tensor(known), top).float().mean().item(), 4)
        out[f"{name}_count"] = len(known)
    return out


def table_hash(table: Tensor) -> str:
    return hashlib.sha256(table.half().numpy().tobytes()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=6, help="at most, for describing in this call")
    parser.add_argument("--steps", type=int, default=1500, help="of the heads")
    args = parser.parse_args()
    torch.set_num_threads(1)  # the model's training comes first
    torch.manual_seed(0)
    root = data_dir()
    folder = root / "judge"
    folder.mkdir(exist_ok=True)
    items = describe(root, folder, args.minutes * 60)
    index = json.loads((root / "index.json").read_text())
    plain = sum(item["view"] == 0 for item in plan(index))
    if len(items) < plain:
        raise SystemExit(f"described {len(items)} of the {plain} plain views, all of which the evaluation needs: run again")
    table, tokenizer = load_table(root), Tokenizer()
    judge, began = Judge(table), time.time()
    training = [item for item in items if not item["row"]["held_out"]]
    fit_components(judge, training)
    loss = fit_heads(judge, training, tokenizer, args.steps)
    about = {"items": len(training), "names": len({item["row"]["name"] for item in training}), "steps": args.steps,
             "loss": round(loss, 4), "chance_top10": 10 / POOL, **accuracy(judge, items, index, tokenizer),
             "table": table_hash(table)}
    torch.save({"model": judge.state_dict(), "about": about}, folder / "judge.pt")
    print(json.dumps(about), f"heads: {time.time() - began:.0f} s")


if __name__ == "__main__":
    main()
