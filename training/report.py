"""Where the evaluation's numbers go: metrics.json, the history, the model card's table, contact sheets. It measures nothing."""

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
BEGIN, END = "<!-- versions: written by npm run eval -->", "<!-- end of versions -->"
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
    return {**{key: result[key] for key in ("version", "date", "note", "counts", "seed", "download_mb", "gflop_per_step_36f",
                                            "gflop_per_decoded_frame")},
            "denoiser": result["weights"]["denoiser"][:12], "decoder": result["weights"]["decoder"][:12],
            **{key: result[key] for key in keys},
            "nearest_ratio": round(result["nearest_training"] / max(1e-9, result["nearest_training_held_out_real"]), 4)}


def remember(history: list[dict], entry: dict) -> list[dict]:
    """One entry for each set of weights; measured again, its numbers are replaced and a note that it had is kept."""
    same = [old for old in history if (old.get("denoiser"), old.get("decoder")) == (entry["denoiser"], entry["decoder"])]
    note = entry["note"] or next((old["note"] for old in same if old["note"]), "")
    return [old for old in history if old not in same] + [{**entry, "note": note}]


def table(history: list[dict]) -> str:
    lines = ["| version | training | " + " | ".join(name for name, _, _ in TABLE) + " | samples |", "|---" * (len(TABLE) + 3) + "|"]
    for row in history:
        cells = [form.format(row[key]) if row.get(key) is not None else "" for _, key, form in TABLE]
        counts = row.get("counts", {})
        drawn = f"{counts['samples']}; {counts['compare']} for 4 / 50" if counts else ""
        version = f"{row['version']} ({row['date']})"
        lines.append(f"| {version} | {row['note']} | " + " | ".join(cells) + f" | {drawn} |")
    return "\n".join(lines)


def fill_card(card: str, history: list[dict]) -> str:
    """The card with the table between its two marks renewed. Raises ValueError where the marks are missing."""
    before, rest = card.split(BEGIN) if card.count(BEGIN) == 1 else (None, None)
    if rest is None or END not in rest:
        raise ValueError(f"the model card must have one {BEGIN} and after it {END}")
    return before + BEGIN + "\n\n" + table(history) + "\n\n" + END + rest.split(END, 1)[1]


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
    ((out or STICKER) / "metrics.json").write_text(json.dumps(result, indent=2) + "\n")
    if out is None:
        history = remember(json.loads(HISTORY.read_text()) if HISTORY.exists() else [], short(result))
        HISTORY.write_text(json.dumps(history, indent=2) + "\n")
        CARD.write_text(fill_card(CARD.read_text(), history))
