"""ONNX of the exported model's denoiser step and decoder, to run the same bytes in other runtimes. The page needs none.

    python3 training/export_onnx.py            # after export.py: public/models/sticker -> test/fixtures/onnx

Weights are not written again. An initializer is fp16 or int8 external data that points, by file name and byte offset, into
the safetensors that the page downloads (ONNX's external data and safetensors are both plain little-endian arrays); a Cast
to f32, for int8 a Mul by its scales before it, and, where PyTorch's layout is not the operator's, a Transpose follow, which
a runtime folds when it loads. The graphs thus stay
small in git and cannot differ from the shipped weights, but belong to them: a new export moves the offsets, so run this
again (a test holds `weightsSha256` in the graph's metadata against model.json).

To load: onnxruntime-web wants `externalData: [{path: 'denoiser.safetensors', data: <url or bytes>}]`; onnxruntime wants
the safetensors beside the graph, or `add_external_initializers_from_files_in_memory` as `session` below does.

denoiser_step.onnx, one step of a loop of 36 frames (f32, batch 1): x [1, 9, 40, 16, 16] noisy normalised latents, t [1],
context [1, 24, 192], mask [1, 24], pooled [1, 192], motion [1, 2], conditions [1, 9, 84, 16, 16] -> velocity, as x.
decoder.onnx: latents [1, 3, 40, 16, 16] (normalised) -> rgba [1, 12, 4, 128, 128], premultiplied, not clamped.
Opset 18 without control flow: erf instead of Gelu, InstanceNormalization instead of GroupNormalization.
"""

import argparse
import json
import logging
import struct
from pathlib import Path
from unittest.mock import patch

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper
from onnxscript import optimizer
from torch import Tensor, nn

from autoencoder import TIME
from data import FRAMES
from denoiser import INPUT, LATENT
from packing import SCALE
from shipped import STICKER, Shipped, load_shipped

OPSET = 18
FIXTURES = STICKER.parents[2] / "test" / "fixtures" / "onnx"
DECODED = 12  # frames of the decoder's loop: enough to time a frame, and a software adapter needs a minute for 36
TOLERANCE = 1e-3  # largest difference from PyTorch, of outputs near one


class Decoder(nn.Module):
    """The decoder with the latents' statistics, so that it takes what the sampler ends with."""

    def __init__(self, model: Shipped):
        super().__init__()
        self.stem, self.head = model.autoencoder.stem, model.autoencoder.head
        self.register_buffer("mean", model.mean)
        self.register_buffer("std", model.std)

    def forward(self, latents: Tensor) -> Tensor:
        z = (latents * self.std + self.mean).flatten(0, 1)
        return self.head(self.stem(z, len(z))).unflatten(0, (1, len(z) * TIME))


def step_inputs(model: Shipped, seed: int = 0) -> dict[str, Tensor]:
    """A prompt's encoding, noise, and conditions of every kind at random."""
    g = torch.Generator().manual_seed(seed)
    n, side = FRAMES // TIME, model.manifest["latents"]["size"][0]
    tokens, mask = model.tokenizer(["a dancing cat"])
    context, pooled = model.text(tokens, mask)
    return {"x": torch.randn(1, n, LATENT, side, side, generator=g), "t": torch.tensor([0.625]), "context": context,
            "mask": mask, "pooled": pooled, "motion": torch.tensor([[0.5, 1.0]]),
            "conditions": torch.randn(1, n, INPUT - LATENT, side, side, generator=g)}


ELEMENTS = {"F16": TensorProto.FLOAT16, "F32": TensorProto.FLOAT, "I8": TensorProto.INT8}


def offsets(path: Path) -> dict[str, tuple[int, int, list[int], int]]:
    """Name -> (byte offset in the file, bytes, shape, ONNX element type) of the tensors of a safetensors file."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return {name: (8 + length + entry["data_offsets"][0], entry["data_offsets"][1] - entry["data_offsets"][0],
                   entry["shape"], ELEMENTS[entry["dtype"]])
            for name, entry in header.items() if name != "__metadata__"}


def plain_attention(q: Tensor, k: Tensor, v: Tensor, attn_mask: Tensor | None = None) -> Tensor:
    """What F.scaled_dot_product_attention computes where no row is masked away whole: without its test for that."""
    scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
    if attn_mask is not None:
        scores = scores + ((attn_mask.float() - 1) * 1e9 if attn_mask.dtype == torch.bool else attn_mask)
    return scores.softmax(-1) @ v


def export(module: nn.Module, inputs: dict[str, Tensor], output: str) -> onnx.ModelProto:
    """The graph with every parameter still an initializer of its own name, and everything else that is constant folded."""
    with patch("torch.nn.functional.scaled_dot_product_attention", plain_attention):
        program = torch.onnx.export(module, tuple(inputs.values()), dynamo=True, opset_version=OPSET, optimize=False,
                                    input_names=list(inputs), output_names=[output], verbose=False)
    model = program.model_proto
    # As inputs, parameters are safe from folding.
    initializers = list(model.graph.initializer)
    names = {initializer.name for initializer in initializers}
    del model.graph.initializer[:]
    model.graph.input.extend(helper.make_tensor_value_info(i.name, i.data_type, i.dims) for i in initializers)
    model = optimizer.optimize(model, num_iterations=3)
    inputs_only = [value for value in model.graph.input if value.name not in names]
    del model.graph.input[:]
    model.graph.input.extend(inputs_only)
    model.graph.initializer.extend(initializers)
    return model


def point_into(graph: onnx.GraphProto, weights: Path) -> int:
    """Replaces each initializer that `weights` holds by external data and a Cast; -> how many elements stay inline."""
    stored = offsets(weights)
    casts, kept, inline = [], [], 0

    def external(name: str) -> str:
        """Adds the initializer of a stored tensor; -> its name."""
        offset, length, shape, element = stored[name]
        tensor = TensorProto(name=f"{name}.stored", dims=shape, data_type=element, data_location=TensorProto.EXTERNAL)
        for key, value in (("location", weights.name), ("offset", str(offset)), ("length", str(length))):
            tensor.external_data.add(key=key, value=value)
        kept.append(tensor)
        return tensor.name

    def node(operator: str, inputs: list[str], output: str, **attributes: int) -> str:
        casts.append(helper.make_node(operator, inputs, [output], name=f"{output}.{operator}", **attributes))
        return output

    for initializer in graph.initializer:
        if initializer.name not in stored:
            inline += int(np.prod(initializer.dims))
            kept.append(initializer)
            continue
        name = initializer.name
        *_, shape, element = stored[name]
        if list(initializer.dims) != shape or initializer.data_type != TensorProto.FLOAT:
            raise SystemExit(f"{name}: {list(initializer.dims)} in the graph, {shape} in {weights.name}")
        half = external(name)
        if element == TensorProto.INT8:
            number = node("Cast", [half], f"{name}.number", to=TensorProto.FLOAT)
            scaled = node("Mul", [number, external(name + SCALE)], f"{name}.scaled")
            half = node("Cast", [scaled], f"{name}.f16", to=TensorProto.FLOAT16)  # the page computes with fp16 weights
        node("Cast", [half], name, to=TensorProto.FLOAT)
    nodes = list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(casts + nodes)
    return inline


def tidy(model: onnx.ModelProto, weights: Path, sha256: str) -> onnx.ModelProto:
    """Drops the exporter's traces of source lines, and notes which weights the offsets belong to."""
    for holder in (model, model.graph, *model.graph.node, *model.graph.input, *model.graph.output, *model.graph.value_info):
        holder.doc_string = ""
        del holder.metadata_props[:]
    del model.graph.value_info[:]
    model.producer_name, model.producer_version = "flipbook", ""
    helper.set_model_props(model, {"weights": weights.name, "weightsSha256": sha256})
    return model


def session(graph: Path, weights: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    data = weights.read_bytes()
    options.add_external_initializers_from_files_in_memory([weights.name], [data], [len(data)])
    return onnxruntime.InferenceSession(graph.read_bytes(), options, providers=["CPUExecutionProvider"])


def convert(module: nn.Module, inputs: dict[str, Tensor], output: str, weights: Path, sha256: str, path: Path) -> None:
    module.eval().requires_grad_(False)
    model = export(module, inputs, output)
    inline = point_into(model.graph, weights)
    expected = {name for name in offsets(weights) if not name.startswith("layout")}  # a picture's alone, not a clip's
    missing = expected - {i.name.removesuffix(".stored") for i in model.graph.initializer}
    if missing:
        raise SystemExit(f"{path.name}: the exporter renamed or dropped {sorted(missing)[:5]}")
    tidy(model, weights, sha256)
    path.write_bytes(model.SerializeToString())
    given = {name: value.numpy() for name, value in inputs.items()}
    (made,) = session(path, weights).run([output], given)
    with torch.no_grad():
        expected = module(*inputs.values()).numpy()
    error = float(np.abs(made - expected).max())
    operators = sorted({node.op_type for node in model.graph.node})
    print(f"{path.name}: {path.stat().st_size:,} bytes, {len(model.graph.node)} nodes, {inline} elements inline, "
          f"largest difference {error:.1e} of {np.abs(expected).max():.2f}\n  {' '.join(operators)}")
    if not error <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
        raise SystemExit(f"{path.name}: differs from PyTorch by {error:.1e}, at most {TOLERANCE} is allowed")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, default=STICKER, help="folder of an exported model")
    parser.add_argument("--out", type=Path, default=FIXTURES)
    args = parser.parse_args()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # about packages that are not needed
    args.out.mkdir(parents=True, exist_ok=True)
    model = load_shipped(args.model)
    file = {name: args.model / model.manifest["modules"][name]["file"] for name in ("denoiser", "decoder")}
    hashes = model.hashes()
    inputs = step_inputs(model)
    convert(model.denoiser, inputs, "velocity", file["denoiser"], hashes["denoiser"], args.out / "denoiser_step.onnx")
    convert(Decoder(model), {"latents": inputs["x"][:, : DECODED // TIME]}, "rgba", file["decoder"], hashes["decoder"], args.out / "decoder.onnx")


if __name__ == "__main__":
    main()
