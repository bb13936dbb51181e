// One convolution as ONNX models: as PyTorch would export it, and rewritten for what onnxruntime is best at. Runs nothing.
import type { ReferenceConv } from '../../../test/reference/conv3d';
import { type HalfWeights, permute } from '../data';
import { floats, integers, type OnnxConstant, type OnnxNode, onnxModel } from '../onnx';
import type { OrtRun } from '../runtimes/ort';

/** One convolution with the numbers it runs on; padding keeps the size. */
export interface Conv {
  readonly reference: ReferenceConv;
  readonly x: Float32Array; // [T, H, W, Cin]
  readonly weight: HalfWeights; // [taps, Cin, Cout]
  readonly bias: Float32Array;
}

/** ONNX's own layout, [1, C, T, H, W], at both ends: nothing is transposed. */
export function asWritten({ reference, x, weight, bias }: Conv): OrtRun {
  const { input, kernel, padding, cout } = reference;
  const [, time, height, width, cin] = input;
  const size = [time, height, width];
  const model = onnxModel({
    inputs: [{ name: 'x', shape: [1, cin, ...size] }],
    outputs: [{ name: 'y', shape: [1, cout, ...size] }],
    constants: [
      floats('w', [cout, cin, ...kernel], permute(weight.values, [...kernel, cin, cout], [4, 3, 0, 1, 2])),
      floats('b', [cout], bias),
    ],
    nodes: [
      {
        op: 'Conv',
        inputs: ['x', 'w', 'b'],
        output: 'y',
        attributes: { kernel_shape: kernel, pads: [...padding, ...padding] },
      },
    ],
  });
  return {
    model,
    inputs: [{ name: 'x', shape: [1, cin, ...size], data: permute(x, [...size, cin], [3, 0, 1, 2]) }],
    output: { name: 'y', shape: [1, cout, ...size] },
    arrange: (y) => permute(y, [cout, ...size], [1, 2, 3, 0]),
  };
}

/**
 * The same as 2-D convolutions or one product, which peers compute with tuned kernels. Inputs and outputs are channels
 * last: onnxruntime's WebGPU provider convolves in that layout and cancels the transposes.
 */
export function rewriteOf({ reference, x, weight, bias }: Conv): { how: string; ort: OrtRun } {
  const { input, kernel, cout } = reference;
  const [, time, height, width, cin] = input;
  const [kt, kh, kw] = kernel;
  const places = time * height * width;
  const run = (shape: number[], nodes: OnnxNode[], constants: OnnxConstant[]): OrtRun => {
    const output = { name: 'y', shape: [...shape.slice(0, -1), cout] };
    return {
      model: onnxModel({ inputs: [{ name: 'x', shape }], outputs: [output], constants, nodes }),
      inputs: [{ name: 'x', shape, data: x }],
      output,
    };
  };
  const b = floats('b', [cout], bias);
  if (kt * kh * kw === 1) {
    const nodes: OnnxNode[] = [
      { op: 'MatMul', inputs: ['x', 'w'], output: 'product' },
      { op: 'Add', inputs: ['product', 'b'], output: 'y' },
    ];
    return { how: 'MatMul', ort: run([places, cin], nodes, [floats('w', [cin, cout], weight.values), b]) };
  }
  const taps = (from: number, height: number, width: number) =>
    permute(
      weight.values.subarray(from * cin * cout, (from + height * width) * cin * cout),
      [height, width, cin, cout],
      [3, 2, 0, 1],
    );
  const toFirst = { op: 'Transpose', inputs: ['x'], output: 'first', attributes: { perm: [0, 3, 1, 2] } };
  const toLast = { op: 'Transpose', inputs: ['sum'], output: 'y', attributes: { perm: [0, 2, 3, 1] } };
  const conv = (input: string, w: string, kernel: number[], output: string, biased: boolean): OnnxNode => {
    const pads = kernel.map((extent) => extent >> 1);
    const inputs = biased ? [input, w, 'b'] : [input, w];
    return { op: 'Conv', inputs, output, attributes: { kernel_shape: kernel, pads: [...pads, ...pads] } };
  };
  if (kt === 1 || kh * kw === 1) {
    const size = kt === 1 ? [kh, kw] : [kt, 1];
    const shape = kt === 1 ? [time, height, width, cin] : [1, time, height * width, cin];
    const w = floats('w', [cout, cin, ...size], taps(0, size[0]!, size[1]!));
    const how = kt === 1 ? 'Conv2D over frames' : 'Conv2D over [T, H·W]';
    return { how, ort: run(shape, [toFirst, conv('first', 'w', size, 'sum', true), toLast], [w, b]) };
  }
  const parts = Array.from({ length: kt }, (_, i) => i);
  const pad = kt >> 1;
  return {
    how: `${kt} summed Conv2D`,
    ort: run(
      [time, height, width, cin],
      [
        toFirst,
        { op: 'Pad', inputs: ['first', 'pads'], output: 'padded' },
        ...parts.flatMap((i) => [
          { op: 'Slice', inputs: ['padded', `from${i}`, `to${i}`, 'axis'], output: `slice${i}` },
          conv(`slice${i}`, `w${i}`, [kh, kw], `part${i}`, i === 0),
        ]),
        { op: 'Sum', inputs: parts.map((i) => `part${i}`), output: 'sum' },
        toLast,
      ],
      [
        integers('pads', [pad, 0, 0, 0, pad, 0, 0, 0]),
        integers('axis', [0]),
        ...parts.flatMap((i) => [
          integers(`from${i}`, [i]),
          integers(`to${i}`, [i + time]),
          floats(`w${i}`, [cout, cin, kh, kw], taps(i * kh * kw, kh, kw)),
        ]),
        b,
      ],
    ),
  };
}
