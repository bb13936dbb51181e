"""Measures the exported model and writes metrics.json, the model card's table and the contact sheets. `npm run eval`.

    python3 training/evaluate.py --compare 48 --note "how" --trained-minutes 100    # 200 prompts, 1,000 samples: a quarter of an hour
    python3 training/evaluate.py --prompts 40 --samples 120 --compare 24 --out DIR    # a first look

How long it took is in metrics.json. What is measured is the folder of shipped files, loaded by `shipped.py`, never a checkpoint.
Needs the data set and the judge (`train_judge.py`). Measures are defined in `metrics.py`, the judge in `judge.py`; every number
comes with its count.

Retrieval: a judge ranks 200 prompts by their likeness to a sample; a hit is the sample's own among the first 10 (chance:
5%). Ratios are to what real stickers of the same names get. Held-in names are animated names that were trained on; unseen
are names held out from all training, and words that no caption has, each with the sticker that it should mean.
A Frechet distance of few samples is mostly the want of samples, which pulls fd_4_over_50 towards 1: fd_real_at_compare says
what as many real stickers get. Samples are compared with all animated stickers that were trained on; fd_real compares one half
of those (`fd_real_count`, or as many as there are samples) with the other. `nearest_training` is the distance (RMS of RGB over white,
0..1, of frames at 24x24) from a sample to the nearest sticker that was trained on, as it is or mirrored, neither shifted nor turned.
"""

import argparse
import datetime
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import report
from captions import label
from data import data_dir
from evaluate_autoencoder import measure_autoencoder
from judge import FRAMES, REDUCED, Backbone, Judge, load_judge, over
from metrics import frechet_distance, motion, nearest, retrieval, roughness, seam_ratio
from prompts import POOL, category, seen, siblings, unseen, unseen_words
from sampling import decode_frames, gflop, sample_loops
from shipped import STICKER, Shipped, load_shipped
from text import Tokenizer
from train_judge import table_hash, tiny
from vocabulary import load_table

BATCH = 8
FEW, MANY = 4, 50  # steps that fd_4_over_50 compares
# What the Frechet distance sees of a description: the first whitened components of its mean and of its changes.
FEATURES = [*range(24), *range(REDUCED, REDUCED + 8)]
LOOKS = [*range(24)]  # those of its mean alone: how much frames change depends on a loop's length
LENGTHS = (8, 16, 72)  # frames that are compared with the default
SHEET = 40
BEGAN = time.time()


class Real:
    """The real stickers as train_judge.py described them (view 0), and the judge's opinion of them."""

    def __init__(self, judge: Judge, items: list[dict]):
        self.items = {(item["kind"], item["i"]): item for item in items if item["view"] == 0}
        self.reduced = {key: judge.reduce(item["described"].float()[None]) for key, item in self.items.items()}
        training = [item for item in self.items.values() if not item["row"]["held_out"]]
        self.tiny = torch.cat([pixels(picture) for item in training for picture in (item["tiny"], item["tiny"].flip(-1))])

    def rows(self, keys: list[tuple[str, int]]) -> Tensor:
        return torch.cat([self.reduced[key] for key in keys])


def pixels(pictures: Tensor) -> Tensor:
    """Tiny pictures as bytes -> rows in 0..1."""
    return pictures.flatten(1).float() / 255


class Samples:
    """Loops drawn from prompts, and everything that is measured of each."""

    def __init__(self, model: Shipped, judge: Judge, backbone: Backbone, texts: list[str], seeds: list[int], steps: int,
                 whole: bool = True, keep: int = 0, frames: int | None = None):
        reduced, self.motions, self.tiny, self.kept = [], [], [], []
        frames = frames or model.manifest["defaults"]["frames"]
        shown = [i * frames // FRAMES for i in range(FRAMES)]
        for start in range(0, len(texts), BATCH):
            z = sample_loops(model, texts[start : start + BATCH], seeds[start : start + BATCH], steps, frames)
            if not torch.isfinite(z).all():
                raise SystemExit(f"Samples of {texts[start:start + BATCH]} are not finite")
            loops = [decode_frames(model, row, None if whole else shown) for row in z]
            picked = [over(loop[shown] if whole else loop) for loop in loops]
            described = backbone(torch.cat(picked)).unflatten(0, (len(loops), FRAMES))
            reduced.append(judge.reduce(described))
            self.motions += [motion(loop) for loop in loops] if whole else []
            self.tiny += [pixels(tiny(rgb)) for rgb in picked]
            self.kept += [over(loop) for loop in loops][: max(0, keep - len(self.kept))]
            done = start + len(loops)
            if done == len(texts) or done % (5 * BATCH) == 0:
                say(f"{done} of {len(texts)} samples, {steps} steps")
        self.reduced = torch.cat(reduced)


def say(text: str) -> None:
    print(f"[{time.time() - BEGAN:6.0f} s] {text}", flush=True)


def hits(judge: Judge, reduced: Tensor, texts: Tensor, answers: list[int]) -> Tensor:
    return retrieval(judge.video(reduced), texts, torch.tensor(answers)).float()


def share(values: Tensor) -> float:
    return round(values.mean().item(), 4)


def ratio(a: float, b: float) -> float:
    return round(a / b, 4) if b else 0.0


def measure_seen(model: Shipped, judge: Judge, backbone: Backbone, real: Real, tokenizer: Tokenizer, index: dict,
                 groups: dict[str, str], args: argparse.Namespace) -> tuple[dict, Samples, list[tuple]]:
    """Samples of names that were trained on, beside real stickers of the same names; -> measures, samples, whom each is of."""
    names = seen(index)
    entries = [names[i % len(names)] for i in range(args.samples)]
    made = Samples(model, judge, backbone, [label(row) for _, _, row in entries],
                   [args.seed + i for i in range(len(entries))], model.manifest["defaults"]["steps"], keep=SHEET)

    texts = judge.text(*tokenizer([label(row) for _, _, row in names[:POOL]]))
    asked = [i for i in range(args.samples) if i % len(names) < POOL]  # samples whose own name is among those
    answers = [i % len(names) for i in asked]
    made_hits = hits(judge, made.reduced[asked], texts, answers)
    real_hits = hits(judge, real.rows([names[a][:2] for a in answers]), texts, answers)
    prompts = min(args.prompts, len(asked))

    real_motions = [real.items[entry[:2]]["motion"] for entry in entries]
    amount, real_amount = (float(np.mean([row["amount"] for row in rows])) for rows in (made.motions, real_motions))

    real_features = real.rows([entry[:2] for entry in names])[:, FEATURES].numpy()
    order = np.random.default_rng(0).permutation(len(real_features))
    count = min(len(entries), len(real_features) // 2)
    some, others = real_features[order[:count]], real_features[order[count:]]

    held_out = [pixels(real.items[entry[:2]]["tiny"]) for entry in unseen(index)]
    distances, held_out_distances = (torch.stack([nearest(rows, real.tiny).mean() for rows in pictures])
                                     for pictures in (made.tiny, held_out))

    categories = {}
    group_of = [groups[row["name"]] for _, _, row in entries]
    for group in sorted(set(group_of)):
        members = [i for i, name in enumerate(group_of) if name == group]
        places = [place for place, i in enumerate(asked) if group_of[i] == group]
        categories[group] = {
            "samples": len(members), "asked": len(places),
            "retrieval_top10": share(made_hits[places]) if places else None,
            "retrieval_top10_real": share(real_hits[places]) if places else None,
            "motion_ratio": ratio(*(sum(rows[i]["amount"] for i in members) for rows in (made.motions, real_motions)))}
    return {
        "retrieval_top10_ratio_seen": ratio(share(made_hits[:prompts]), share(real_hits[:prompts])),
        "retrieval_top10_seen": share(made_hits[:prompts]), "retrieval_top10_seen_real": share(real_hits[:prompts]),
        "retrieval_top10_all_samples": share(made_hits),
        "motion_ratio": ratio(amount, real_amount), "motion": round(amount, 5), "motion_real": round(real_amount, 5),
        "seam_ratio": round(seam_ratio(made.motions), 4), "seam_ratio_real": round(seam_ratio(real_motions), 4),
        "flicker_ratio": ratio(roughness(made.motions), roughness(real_motions)),
        "fd": round(frechet_distance(made.reduced[:, FEATURES].numpy(), real_features), 4),
        "fd_real_count": count,
        "fd_real": round(frechet_distance(some, others), 4),
        "nearest_training": round(distances.median().item(), 4),
        "nearest_training_held_out_real": round(held_out_distances.median().item(), 4),
        "copies": share((distances < held_out_distances.quantile(0.01)).float()),
        "categories": categories,
    }, made, entries


def measure_unseen(model: Shipped, judge: Judge, backbone: Backbone, real: Real, tokenizer: Tokenizer, index: dict,
                   args: argparse.Namespace) -> tuple[dict, Samples, list[str]]:
    """Samples of names held out and of words that no caption has; -> measures and their counts, samples, texts they are of."""
    held, words = unseen(index), unseen_words(index)
    count = min(len(held), -(-args.prompts * 2 // 3))
    queries = [(label(row), (kind, i), row["name"]) for kind, i, row in held[:count]]
    queries += [(word, (kind, i), row["name"]) for word, kind, i, row in words[: max(0, args.prompts - count)]]
    pool = [(kind, i, row) for kind, i, row in held]
    pool += [entry for _, *entry in words if entry[2]["name"] not in {row["name"] for _, _, row in pool}]
    pool += seen(index)
    names = list(dict.fromkeys(row["name"] for _, _, row in pool))[:POOL]
    rows = {row["name"]: row for _, _, row in reversed(pool)}
    texts = judge.text(*tokenizer([label(rows[name]) for name in names]))
    answers = [names.index(name) for _, _, name in queries]
    made = Samples(model, judge, backbone, [text for text, _, _ in queries],
                   [args.seed + 500_000 + i for i in range(len(queries))], model.manifest["defaults"]["steps"], keep=SHEET)
    made_hits = hits(judge, made.reduced, texts, answers)
    real_hits = hits(judge, real.rows([key for _, key, _ in queries]), texts, answers)
    out = {"retrieval_top10_ratio_unseen": ratio(share(made_hits), share(real_hits))}
    have_siblings = siblings(index)
    alone = [i for i, (_, _, name) in enumerate(queries[:count]) if name not in have_siblings]
    for name, part in (("held_out_names", slice(0, count)), ("held_out_names_without_siblings", alone),
                       ("unseen_words", slice(count, None))):
        if len(made_hits[part]):
            out[f"retrieval_top10_{name}"] = share(made_hits[part])
            out[f"retrieval_top10_{name}_real"] = share(real_hits[part])
    out["counts"] = {"held_out_names": count, "held_out_names_without_siblings": len(alone), "unseen_words": len(queries) - count}
    return out, made, [text for text, _, _ in queries]


def measure_steps(model: Shipped, judge: Judge, backbone: Backbone, real: Real, index: dict, args: argparse.Namespace) -> dict:
    """Frechet distances of as few samples as --compare says, at other counts of steps and of frames."""
    if not args.compare:
        return {"fd_4_over_50": None}
    names = seen(index)
    entries = [names[i % len(names)] for i in range(args.compare)]
    real_features = real.rows([entry[:2] for entry in names])[:, FEATURES].numpy()
    rng, of_real = np.random.default_rng(0), []
    for _ in range(5):  # what real stickers would get, were there so few of them
        order = rng.permutation(len(real_features))
        some, others = real_features[order[: args.compare]], real_features[order[args.compare :]]
        of_real.append(frechet_distance(some, others))
    usual = model.manifest["defaults"]

    def drawn(steps: int, frames: int) -> np.ndarray:
        return Samples(model, judge, backbone, [label(row) for _, _, row in entries],
                       [args.seed + i for i in range(len(entries))], steps, whole=False, frames=frames).reduced.numpy()

    made = {steps: drawn(steps, usual["frames"]) for steps in dict.fromkeys((FEW, usual["steps"], MANY))}
    distance = {steps: frechet_distance(rows[:, FEATURES], real_features) for steps, rows in made.items()}
    of_length = {frames: drawn(usual["steps"], frames) for frames in LENGTHS} | {usual["frames"]: made[usual["steps"]]}
    looks = {frames: frechet_distance(rows[:, LOOKS], real_features[:, LOOKS]) for frames, rows in of_length.items()}
    return {"fd_4_over_50": ratio(distance[FEW], distance[MANY]), "fd_4_steps": round(distance[FEW], 4),
            "fd_default_steps": round(distance[usual["steps"]], 4), "fd_50_steps": round(distance[MANY], 4),
            "fd_real_at_compare": round(float(np.mean(of_real)), 4),
            "fd_of_looks_by_frames": {frames: round(looks[frames], 4) for frames in sorted(looks)}}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--prompts", type=int, default=200, help="for retrieval, held-in and unseen each (unseen: at most 140)")
    parser.add_argument("--samples", type=int, default=1000, help="loops of held-in names; the first PROMPTS are asked for")
    parser.add_argument("--compare", type=int, default=None,
                        help="loops at 4 and at 50 steps each; by default a quarter of SAMPLES; 0 leaves it out")
    parser.add_argument("--clips", type=int, default=45, help="held-out loops and stills for the autoencoder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", type=Path, default=STICKER)
    parser.add_argument("--out", type=Path, default=None, help="a folder for everything, instead of the repository's places")
    parser.add_argument("--note", default="", help="how this version was trained, for the model card's table")
    parser.add_argument("--trained-minutes", type=float, default=None, help="as of that note; the card sums all versions'")
    args = parser.parse_args()
    args.compare = args.samples // 4 if args.compare is None else args.compare
    if min(args.prompts, args.clips) < 2 or args.compare == 1 or args.samples < args.prompts:
        parser.error("prompts and clips are at least 2, compare 0 or at least 2, and samples at least prompts")
    if bool(args.note) != (args.trained_minutes is not None):
        parser.error("--note and --trained-minutes belong together")
    return args


def main() -> None:
    args = parse()
    root = data_dir()
    cached = root / "judge" / "judge.pt"
    if not cached.exists():
        raise SystemExit(f"There is no judge in {cached.parent}: python3 training/train_judge.py trains it once")
    index, groups, table, tokenizer = json.loads((root / "index.json").read_text()), category(root), load_table(root), Tokenizer()
    judge, about = load_judge(cached, table)
    if about["table"] != table_hash(table):
        raise SystemExit("The judge was trained with another token table: run training/train_judge.py again")
    model, backbone = load_shipped(args.model), Backbone()
    real = Real(judge, torch.load(root / "judge" / "described.pt", weights_only=True))
    if args.out is None and not args.note and model.manifest["version"] not in {row["version"] for row in report.load_history()}:
        raise SystemExit(f"{model.manifest['version']} is new: say how it was trained with --note and --trained-minutes")
    say(f"model {model.manifest['version']}, judge with top-10 {about['held_out_top10']:.0%} on held-out real stickers")

    measured = {**measure_autoencoder(model, root, index, args.clips), "download_mb": model.download_mb(), **gflop(model)}
    say(f"autoencoder {measured['vae_psnr_white_db']} dB")
    of_seen, seen_samples, entries = measure_seen(model, judge, backbone, real, tokenizer, index, groups, args)
    of_unseen, unseen_samples, texts = measure_unseen(model, judge, backbone, real, tokenizer, index, args)
    of_steps = measure_steps(model, judge, backbone, real, index, args)
    counts = {"prompts": min(args.prompts, args.samples), "samples": args.samples, "compare": args.compare,
              "autoencoder_clips": min(args.clips, sum(kind == "clips" for kind, _, _ in unseen(index))),
              **of_unseen.pop("counts")}
    near = report.nearest_captions(model, index, {word: row["name"] for word, _, _, row in unseen_words(index)})
    defaults = model.manifest["defaults"]
    result = {
        "version": model.manifest["version"], "date": datetime.date.today().isoformat(), "note": args.note,
        "trained_minutes": args.trained_minutes,
        **measured, **of_seen, **of_unseen, **of_steps,
        "unseen_words_caption_top10": round(float(np.mean([entry["rank"] <= 10 for entry in near.values()])), 4),
        "unseen_words_caption_top10_table": round(float(np.mean([entry["tableRank"] <= 10 for entry in near.values()])), 4),
        "counts": counts, "seed": args.seed,
        "sampling": {**{key: defaults.get(key) for key in ("sampler", "steps", "pictureSteps", "guidance", "clipGuidance", "frames",
                                                           "fps", "motion")}, "shift": model.manifest["process"]["shift"]},
        "judge": {key: value for key, value in about.items() if key != "table"}, "weights": model.hashes(),
        "minutes": round((time.time() - BEGAN) / 60, 1),
    }
    report.write(result, args.out, {"seen": ([label(row) for _, _, row in entries[:SHEET]], seen_samples.kept),
                                    "unseen": (texts[:SHEET], unseen_samples.kept)}, near)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
