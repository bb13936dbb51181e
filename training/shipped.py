"""Loads the exported model as the torch modules that it came from: what is measured and converted is what visitors get.

Not a checkpoint for training (see `restore.py`). Shapes come from model.json, so that a smaller model loads as well.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from autoencoder import Autoencoder
from denoiser import Denoiser
from packing import TOKENIZER, unpack, unpack_table
from text import TextEncoder, Tokenizer

STICKER = Path(__file__).resolve().parent.parent / "public" / "models" / "sticker"


@dataclass
class Shipped:
    """`mean` and `std` of the latents are [40, 1, 1]."""

    folder: Path
    manifest: dict
    autoencoder: Autoencoder
    denoiser: Denoiser
    text: TextEncoder
    tokenizer: Tokenizer
    mean: Tensor
    std: Tensor

    def hashes(self) -> dict[str, str]:
        """sha256 of every file of the model, of the bytes that were just read rather than of model.json's claim."""
        return {name: hashlib.sha256((self.folder / module["file"]).read_bytes()).hexdigest()
                for name, module in self.manifest["modules"].items()}

    def download_mb(self) -> float:
        """What a visitor fetches to generate from text, in 10^6 bytes: the encoder is fetched only for a start picture."""
        modules = self.manifest["modules"]
        files = ["model.json", *(modules[name]["file"] for name in ("text", "tokenizer", "denoiser", "decoder"))]
        return round(sum((self.folder / file).stat().st_size for file in files) / 1e6, 3)


def load_shipped(folder: Path = STICKER) -> Shipped:
    """The modules as the page has them, frozen. Raises RuntimeError where weights do not fit what model.json says."""
    manifest = json.loads((folder / "model.json").read_text())
    config = {name: module["config"] for name, module in manifest["modules"].items()}
    file = {name: folder / module["file"] for name, module in manifest["modules"].items()}

    coder = {key: config["encoder"][key] for key in ("low", "high", "latent", "wide")}
    autoencoder = Autoencoder(**coder)
    autoencoder.load_state_dict({**unpack(load_file(file["decoder"])), **unpack(load_file(file["encoder"]), "encoder.")})

    shape = ("low", "width", "blocks", "heads", "emb", "context", "layout")
    denoiser = Denoiser(**{key: config["denoiser"][key] for key in shape})
    denoiser.load_state_dict(unpack(load_file(file["denoiser"])))

    stored = load_file(file["text"])
    text = TextEncoder(unpack_table(stored), **{key: config["text"][key] for key in ("width", "layers", "heads")})
    text.load_state_dict(unpack(stored))
    for module in (autoencoder, denoiser, text):
        module.eval().requires_grad_(False)
    mean, std = (torch.tensor(manifest["latents"][key]).view(-1, 1, 1) for key in ("mean", "std"))
    return Shipped(folder, manifest, autoencoder, denoiser, text, Tokenizer(folder / TOKENIZER), mean, std)
