// One convolution for tfjs and jax-js: as written, and rewritten for their 2-D convolutions and products.
import type { Tensor, Tensor4D, Tensor5D } from '@tensorflow/tfjs-core';
import type { Prepared } from '../case';
import { permute } from '../data';
import { type Jax, prepareJax } from '../runtimes/jax';
import { prepareTfjs, type Tfjs } from '../runtimes/tfjs';
import type { Conv } from './conv3d-onnx';

export function tfjsAsWritten(runtime: Tfjs, { reference, x, weight, bias }: Conv): Prepared {
  const { input, kernel, cout } = reference;
  const { tf } = runtime;
  const inputs = [
    { shape: input, data: x },
    { shape: [...kernel, input[4], cout], data: weight.values },
    { shape: [cout], data: bias },
  ];
  return prepareTfjs(runtime, inputs, (x, w, b) => {
    // Its sum of a rank-5 tensor and a bias does not compile; as rows it does, and the reshape is free.
    const y = tf.conv3d(x as Tensor5D, w as Tensor5D, 1, 'same');
    return tf.add(tf.reshape(y, [-1, cout]), b!);
  });
}

export function tfjsRewrite(runtime: Tfjs, { reference, x, weight, bias }: Conv): Prepared {
  const { input, kernel, cout } = reference;
  const [, time, height, width, cin] = input;
  const [kt, kh, kw] = kernel;
  const { tf } = runtime;
  const b = { shape: [cout], data: bias };
  if (kt * kh * kw === 1) {
    const inputs = [{ shape: [time * height * width, cin], data: x }, { shape: [cin, cout], data: weight.values }, b];
    return prepareTfjs(runtime, inputs, (a, b, bias) => tf.fused.matMul({ a: a!, b: b!, bias: bias! }));
  }
  const conv2d = (x: Tensor, filter: Tensor, bias?: Tensor) =>
    tf.fused.conv2d({ x: x as Tensor4D, filter: filter as Tensor4D, strides: 1, pad: 'same', bias });
  if (kt === 1 || kh * kw === 1) {
    const shape = kt === 1 ? [time, height, width, cin] : [1, time, height * width, cin];
    const size = kt === 1 ? [kh, kw] : [kt, 1];
    const inputs = [{ shape, data: x }, { shape: [...size, cin, cout], data: weight.values }, b];
    return prepareTfjs(runtime, inputs, (x, w, b) => conv2d(x!, w!, b));
  }
  const part = kh * kw * cin * cout;
  const filters = Array.from({ length: kt }, (_, i) => ({
    shape: [kh, kw, cin, cout],
    data: weight.values.slice(i * part, (i + 1) * part),
  }));
  const pad = kt >> 1;
  return prepareTfjs(runtime, [{ shape: [time, height, width, cin], data: x }, b, ...filters], (x, b, ...filters) => {
    const padded = tf.pad(x!, [
      [pad, pad],
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    const part = (filter: Tensor, i: number, bias?: Tensor): Tensor =>
      conv2d(tf.slice(padded, [i, 0, 0, 0], [time, height, width, cin]), filter, bias);
    const [first, ...others] = filters;
    return others.reduce((sum, filter, i) => tf.add(sum, part(filter, i + 1)), part(first!, 0, b));
  });
}

/** Channels first, as jax's convolution wants them. */
export function jaxAsWritten(runtime: Jax, { reference, x, weight, bias }: Conv): Promise<Prepared> {
  const { input, kernel, padding, cout } = reference;
  const [, time, height, width, cin] = input;
  const size = [time, height, width];
  const { lax } = runtime.api;
  const inputs = [
    { shape: [1, cin, ...size], data: permute(x, [...size, cin], [3, 0, 1, 2]) },
    { shape: [cout, cin, ...kernel], data: permute(weight.values, [...kernel, cin, cout], [4, 3, 0, 1, 2]) },
    { shape: [1, cout, 1, 1, 1], data: bias },
  ];
  const pads = padding.map((pad): [number, number] => [pad, pad]);
  return prepareJax(
    runtime,
    inputs,
    (x, w, b) => lax.convGeneralDilated(x!, w!, [1, 1, 1], pads).add(b!),
    (y) => permute(y, [cout, ...size], [1, 2, 3, 0]),
  );
}

/** Whether there is a rewrite: (3, 3, 3) is left to its compiler. */
export function jaxRewrites({ reference: { kernel } }: Conv): boolean {
  return kernel[0] === 1 || kernel[1] * kernel[2] === 1;
}

export function jaxRewrite(runtime: Jax, { reference, x, weight, bias }: Conv): Promise<Prepared> {
  const { input, kernel, cout } = reference;
  const [, time, height, width, cin] = input;
  const [kt, kh, kw] = kernel;
  const { lax, numpy } = runtime.api;
  if (kt * kh * kw === 1) {
    const inputs = [
      { shape: [time * height * width, cin], data: x },
      { shape: [cin, cout], data: weight.values },
      { shape: [cout], data: bias },
    ];
    return prepareJax(runtime, inputs, (x, w, b) => numpy.matmul(x!, w!).add(b!));
  }
  const size = kt === 1 ? [kh, kw] : [kt, 1];
  const frames = kt === 1 ? time : 1;
  const plane = kt === 1 ? [height, width] : [time, height * width];
  const inputs = [
    { shape: [frames, cin, ...plane], data: permute(x, [frames, ...plane, cin], [0, 3, 1, 2]) },
    { shape: [cout, cin, ...size], data: permute(weight.values, [...size, cin, cout], [3, 2, 0, 1]) },
    { shape: [1, cout, 1, 1], data: bias },
  ];
  const pads = size.map((extent): [number, number] => [extent >> 1, extent >> 1]);
  return prepareJax(
    runtime,
    inputs,
    (x, w, b) => lax.convGeneralDilated(x!, w!, [1, 1], pads).add(b!),
    (y) => permute(y, [frames, cout, ...plane], [0, 2, 3, 1]),
  );
}
