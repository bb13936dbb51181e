// Attention as ONNX models: composed as PyTorch exports it, and with onnxruntime's own fused operator. Runs nothing.
// q, k and v come as three tensors [T, H·W, C], which spares the peers the split that our kernel does in place.
import { floats, integers, type OnnxConstant, type OnnxNode, onnxModel } from '../onnx';
import type { OrtRun } from '../runtimes/ort';
import type { Attention } from './attention';

const parts = ['q', 'k', 'v'] as const;

function run(input: Attention, nodes: readonly OnnxNode[], constants: readonly OnnxConstant[]): OrtRun {
  const shape = [input.frames, input.places, input.channels];
  return {
    model: onnxModel({
      inputs: parts.map((name) => ({ name, shape })),
      outputs: [{ name: 'y', shape }],
      constants,
      nodes,
    }),
    inputs: parts.map((name) => ({ name, shape, data: input[name] })),
    output: { name: 'y', shape },
  };
}

export function writtenOrt(input: Attention): OrtRun {
  const { axis, frames, places, channels, heads, bias } = input;
  const headDim = channels / heads;
  // [T, P, h, d] to [T, h, P, d], or to [P, h, T, d].
  const perm = axis === 'space' ? [0, 2, 1, 3] : [1, 2, 0, 3];
  const keys = axis === 'space' ? [0, 2, 3, 1] : [1, 2, 3, 0];
  const back = axis === 'space' ? [0, 2, 1, 3] : [2, 0, 1, 3];
  const nodes: OnnxNode[] = [
    ...parts.flatMap((name): OnnxNode[] => [
      { op: 'Reshape', inputs: [name, 'split'], output: `${name}4` },
      {
        op: 'Transpose',
        inputs: [`${name}4`],
        output: `${name}h`,
        attributes: { perm: name === 'k' ? keys : perm },
      },
    ]),
    { op: 'Mul', inputs: ['qh', 'scale'], output: 'qs' },
    { op: 'MatMul', inputs: ['qs', 'kh'], output: 'logits' },
    ...(bias ? [{ op: 'Add', inputs: ['logits', 'bias'], output: 'biased' }] : []),
    { op: 'Softmax', inputs: [bias ? 'biased' : 'logits'], output: 'weights', attributes: { axis: 3 } },
    { op: 'MatMul', inputs: ['weights', 'vh'], output: 'mixed' },
    { op: 'Transpose', inputs: ['mixed'], output: 'rows', attributes: { perm: back } },
    { op: 'Reshape', inputs: ['rows', 'joined'], output: 'y' },
  ];
  return run(input, nodes, [
    integers('split', [frames, places, heads, headDim]),
    integers('joined', [frames, places, channels]),
    floats('scale', [1], Float32Array.of(1 / Math.sqrt(headDim))),
    ...(bias ? [floats('bias', [1, heads, frames, frames], bias)] : []),
  ]);
}

export function fusedOrt(input: Attention): OrtRun {
  const { axis, frames, heads, bias } = input;
  const attend = (names: readonly string[], output: string): OnnxNode => ({
    op: 'MultiHeadAttention',
    domain: 'com.microsoft',
    // bias, key padding mask, attention bias
    inputs: bias ? [...names, '', '', 'bias'] : names,
    output,
    attributes: { num_heads: heads },
  });
  const turned = { perm: [1, 0, 2] };
  const nodes =
    axis === 'space'
      ? [attend(parts, 'y')]
      : [
          ...parts.map((name) => ({ op: 'Transpose', inputs: [name], output: `${name}t`, attributes: turned })),
          attend(
            parts.map((name) => `${name}t`),
            'mixed',
          ),
          { op: 'Transpose', inputs: ['mixed'], output: 'y', attributes: turned },
        ];
  return run(input, nodes, bias ? [floats('bias', [1, heads, frames, frames], bias)] : []);
}
