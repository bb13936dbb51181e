"""Where the evaluation's numbers go: metrics.json, the history, the model card, contact sheets. It measures nothing.

    python3 training/report.py    # the card anew from metrics.json and history.json
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from shipped import STICKER, Shipped

ROOT = STICKER.parents[2]
HISTORY = Path(__file__).with_name("history.json")
CARD = STICKER / "MODEL_CARD.md"
METRICS = STICKER / "metrics.json"
MARKS = "<!-- {}: written by npm run eval -->", "<!-- end of {} -->"  # around a part of the card
COLUMNS = 8
ANIMATED = 64  # pixels of a sticker on the animated sheet

# Heading, key, and how to print: of every version measured so far.
TABLE = [
    ("PSNR over white, held out", "vae_psnr_white_db", "{:.1f} dB"),
    ("alpha MAE", "vae_alpha_mae", "{:.3f}"),
    ("top-10 held-in, of real's", "retrieval_top10_ratio_seen", "{:.0%}"),
    ("top-10 unseen, of real's", "retrieval_top10_ratio_unseen", "{:.0%}"),
    ("motion, of real's", "motion_ratio", "{:.2f}"),
    ("seam", "seam_ratio", "{:.2f}"),
    ("FD", "fd", "{:.1f}"),
    ("FD at 4 / 50 steps", "fd_4_over_50", "{:.2f}"),
    ("MB to download", "download_mb", "{:.1f}"),
    ("nearest training picture, of held-out real's", "nearest_ratio", "{:.2f}"),
]


def nearest_names(names: Tensor, words: Tensor) -> Tensor:
    """Cosines [W, N] of encodings [N, D] and [W, D], with the names' mean removed."""
    mean = names.mean(0)
    return F.normalize(words - mean, dim=1) @ F.normalize(names - mean, dim=1).T


@torch.no_grad()
def nearest_captions(model: Shipped, index: dict, words: dict[str, str], count: int = 5) -> dict[str, dict]:
    """For each word, given with the name that it means: the nearest names by the model's trained text encoder, and the rank
    of the meant one (1 is first) among all; `tableRank` is that by the frozen token table alone, what the encoder started from."""
    names = sorted({row["name"] for kind in ("clips", "stills") for row in index[kind] if not row["flag"]})

    def encode(texts: list[str]) -> tuple[Tensor, Tensor]:
        tokens, mask = model.tokenizer(texts)
        bag = (model.text.table[tokens] * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return model.text(tokens, mask)[1], bag

    trained, table = (nearest_names(a, b) for a, b in zip(encode(names), encode(list(words))))
    right = [names.index(meant) for meant in words.values()]

    def rank(row: Tensor, i: int) -> int:
        return 1 + int((row > row[i]).sum())

    return {word: {"means": names[i], "rank": rank(a, i), "tableRank": rank(b, i), "nearest": [names[j] for j in a.topk(count).indices.tolist()]}
            for word, a, b, i in zip(words, trained, table, right)}


def sheet(frames: list[Tensor]) -> Image.Image:
    """Pictures [3, H, W] in rows of 8; empty places are white."""
    blank = torch.ones_like(frames[0])
    rows = [frames[i : i + COLUMNS] for i in range(0, len(frames), COLUMNS)]
    rows = [torch.cat([*row, *[blank] * (min(COLUMNS, len(frames)) - len(row))], dim=2) for row in rows]
    return Image.fromarray((torch.cat(rows, dim=1).permute(1, 2, 0) * 255).round().byte().numpy())


def animated(loops: list[Tensor], path: Path, fps: int) -> None:
    small = [F.interpolate(loop, size=(ANIMATED, ANIMATED), mode="area") for loop in loops]
    pages = [sheet([loop[t] for loop in small]) for t in range(len(small[0]))]
    pages[0].save(path, save_all=True, append_images=pages[1:], duration=round(1000 / fps), loop=0, quality=60, method=4)


def short(result: dict) -> dict:
    """What the history keeps of a version."""
    keys = [key for _, key, _ in TABLE if key in result]
    return {**{key: result[key] for key in ("version", "date", "note", "trained_minutes", "counts", "seed", "download_mb", "gflop_per_step_36f",
                                            "gflop_per_decoded_frame")},
            "denoiser": result["weights"]["denoiser"][:12], "decoder": result["weights"]["decoder"][:12],
            **{key: result[key] for key in keys},
            "nearest_ratio": round(result["nearest_training"] / max(1e-9, result["nearest_training_held_out_real"]), 4)}


def remember(history: list[dict], entry: dict) -> list[dict]:
    """One entry for each version of weights; measured again, its numbers are replaced, and its note and its minutes of training are
    kept unless there is a new note."""

    def key(row: dict) -> tuple:
        return row["version"], row["denoiser"], row["decoder"]

    same = [old for old in history if key(old) == key(entry)]
    kept = {name: old[name] for old in same for name in ("note", "trained_minutes")} if not entry["note"] else {}
    return [old for old in history if old not in same] + [{**entry, **kept}]


def hours(history: list[dict], more: float = 0) -> str:
    """Of training, of all versions and `more` minutes, in words."""
    return f"some {(sum(row['trained_minutes'] or 0 for row in history) + more) / 60:.0f} hours"


def numbers(result: dict, history: list[dict]) -> str:
    """What metrics.json says, for the card, in Markdown."""
    counts, judge, groups = result["counts"], result["judge"], result["categories"]
    top = "retrieval_top10_"
    rows = [("trained names", counts["prompts"], f"{top}seen"), ("names held out from training", counts["held_out_names"], f"{top}held_out_names"),
            ('those of them that differ from a trained one in more than who it is ("woman swimming")',
             counts["held_out_names_without_siblings"], f"{top}held_out_names_without_siblings"),
            ("words that no caption has", counts["unseen_words"], f"{top}unseen_words")]
    parts = [
        f"Version {result['version']}, trained for {hours(history)} in all on two processor cores that also did other work; measured on "
        f"{result['date']}. An independent judge (`judge.py`) ranks 200 names by how well they fit, and recognises what has its own among the "
        "first ten:",
        "\n".join(["| asked for by | | samples | real stickers |", "|---|---|---|---|",
                   *(f"| {name} | of {n} | {result[key] * n:.0f} | {result[key + '_real'] * n:.0f} |" for name, n, key in rows if n)]),
        "- By group, of all samples of those trained names: " + ", ".join(
            f"{name} {group['retrieval_top10'] * group['asked']:.0f} of {group['asked']}"
            for name, group in sorted(groups.items(), key=lambda pair: -pair[1]["asked"]) if group["asked"]) + ".",
        f"- Clips move {result['motion_ratio']:.2f} times as much as real ones; the autoencoder alone leaves {result['vae_motion_ratio']:.3f} of real "
        f"clips' motion. The loop's seam is {result['seam_ratio']:.2f} of an ordinary change from frame to frame (real loops: "
        f"{result['seam_ratio_real']:.2f}).",
        f"- A sample's nearest training picture is at a distance of {result['nearest_training']:.3f}, that of a real held-out sticker at "
        f"{result['nearest_training_held_out_real']:.3f} (medians; {counts['samples']:,} samples, each asked for by a trained name). "
        f"{result['copies'] * counts['samples']:.0f} of the {counts['samples']:,} are nearer than all but the nearest hundredth of the held-out ones.",
        f"- The Fréchet distance of {counts['samples']:,} samples is {result['fd']:.1f}; {result['fd_real_count']} real stickers get "
        f"{result['fd_real']:.1f} against the others."]
    if counts["compare"]:
        of_steps = {4: result["fd_4_steps"], result["sampling"]["steps"]: result["fd_default_steps"], 50: result["fd_50_steps"]}
        looks = sorted((int(frames), fd) for frames, fd in result["fd_of_looks_by_frames"].items())
        parts += [f"- That of {counts['compare']} is " + ", ".join(f"{fd:.1f} with {steps} steps" for steps, fd in of_steps.items())
                  + f" (as many real stickers: {result['fd_real_at_compare']:.1f}); of what they look like alone, without how they change, "
                  + ", ".join(f"{fd:.1f} with {frames} frames" for frames, fd in looks) + "."]
    parts += [f"- Of the {judge['held_out_count']} real stickers whose names are held out, the judge recognises "
              f"{judge['held_out_top10'] * judge['held_out_count']:.0f} in its own test (`train_judge.py`), where the other names are all trained ones.",
              f"- Cost: {result['gflop_per_step_36f']:.1f} GFLOP per step for 36 frames, {result['gflop_per_decoded_frame']:.2f} GFLOP per decoded "
              f"frame. A visitor downloads {result['download_mb']:.1f} MB, and with a start picture the encoder too."]
    return "\n\n".join(parts[:2]) + "\n\n" + "\n".join(parts[2:])


def table(history: list[dict]) -> str:
    lines = ["| version | training | " + " | ".join(name for name, _, _ in TABLE) + " | samples |", "|---" * (len(TABLE) + 3) + "|"]
    for row in history:
        cells = [form.format(row[key]) if row.get(key) is not None else "" for _, key, form in TABLE]
        counts = row.get("counts", {})
        drawn = f"{counts['samples']}; {counts['compare']} for 4 / 50" if counts else ""
        version = f"{row['version']} ({row['date']})"
        lines.append(f"| {version} | {row['note']} | " + " | ".join(cells) + f" | {drawn} |")
    return "\n".join(lines)


def fill(card: str, part: str, text: str) -> str:
    """The card with `text` between the part's two marks. Raises ValueError where the marks are missing."""
    begin, end = (mark.format(part) for mark in MARKS)
    before, found, rest = card.partition(begin)
    if not found or begin in rest or end not in rest:
        raise ValueError(f"the model card must have one {begin} and after it {end}")
    return f"{before}{begin}\n\n{text}\n\n{end}{rest.partition(end)[2]}"


def fill_card(card: str, result: dict, history: list[dict]) -> str:
    """The card with numbers and table renewed. Raises ValueError where their marks are missing."""
    return fill(fill(card, "numbers", numbers(result, history)), "versions", table(history))


def load_history() -> list[dict]:
    """The versions measured so far, in order."""
    return json.loads(HISTORY.read_text())


def write(result: dict, out: Path | None, sheets: dict[str, tuple[list[str], list[Tensor]]], near: dict[str, dict]) -> None:
    """Into the repository, or all into `out`; the history and the card change only with the repository's own."""
    pictures = out or ROOT / "docs" / "evaluation"
    pictures.mkdir(parents=True, exist_ok=True)
    captions = {}
    for name, (texts, loops) in sheets.items():
        sheet([loop[0] for loop in loops]).save(pictures / f"contact-sheet-{name}.png", optimize=True)
        animated(loops, pictures / f"contact-sheet-{name}.webp", result["sampling"]["fps"])
        captions[name] = [texts[i : i + COLUMNS] for i in range(0, len(loops), COLUMNS)]
    about = {"version": result["version"], "weights": result["weights"]["denoiser"][:12],
             "what": "Captions of the contact sheets by row, and the nearest captions of words that no caption has",
             "sheets": captions, "nearestCaptions": near}
    (pictures / "captions.json").write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n")
    ((out or STICKER) / METRICS.name).write_text(json.dumps(result, indent=2) + "\n")
    if out is None:
        history = remember(load_history(), short(result))
        HISTORY.write_text(json.dumps(history, indent=2) + "\n")
        CARD.write_text(fill_card(CARD.read_text(), result, history))


if __name__ == "__main__":
    CARD.write_text(fill_card(CARD.read_text(), json.loads(METRICS.read_text()), load_history()))
