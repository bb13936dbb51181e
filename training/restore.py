"""Turns the exported model back into checkpoints, token table and tokenizer, so that training goes on on another machine.

    python3 training/data.py            # the data set is not in the repository
    python3 training/restore.py         # public/models/sticker -> $FLIPBOOK_DATA/{autoencoder,denoiser}/exported.pt
    python3 training/latents.py --checkpoint $FLIPBOOK_DATA/autoencoder/exported.pt --keep $FLIPBOOK_DATA/denoiser/exported.pt
    python3 training/train_denoiser.py --init $FLIPBOOK_DATA/denoiser/exported.pt

Only the weights come back, rounded to fp16 or int8: optimisers and schedules start afresh.
"""

import json

import torch
from safetensors.torch import load_file
from torch import Tensor

from data import data_dir
from packing import TOKENIZER, read_tokenizer, unpack, unpack_table
from shipped import STICKER


def floats(name: str, prefix: str) -> dict[str, Tensor]:
    return unpack(load_file(STICKER / f"{name}.safetensors"), prefix)


def save(folder: str, weights: dict[str, Tensor], **extra: object) -> None:
    path = data_dir() / folder / "exported.pt"
    path.parent.mkdir(exist_ok=True)
    torch.save({"model": weights, "ema": weights, **extra}, path)
    print(path)


def main() -> None:
    latents = json.loads((STICKER / "model.json").read_text())["latents"]
    statistics = {key: torch.tensor(latents[key]) for key in ("mean", "std")}
    torch.save(unpack_table(load_file(STICKER / "text.safetensors")), data_dir() / "table.pt")
    (data_dir() / "tokenizer.json").write_text(json.dumps(read_tokenizer(STICKER / TOKENIZER), ensure_ascii=False))
    save("autoencoder", {**floats("decoder", ""), **floats("encoder", "encoder.")})
    save("denoiser", {**floats("denoiser", "denoiser."), **floats("text", "text.")}, latents=statistics)


if __name__ == "__main__":
    main()
