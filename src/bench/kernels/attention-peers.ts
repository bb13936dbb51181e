// Attention for tfjs and jax-js, composed of what they offer.
import type { Prepared } from '../case';
import { type Jax, prepareJax } from '../runtimes/jax';
import { prepareTfjs, type Tfjs } from '../runtimes/tfjs';
import type { Attention } from './attention';

export function tfjsAttention(runtime: Tfjs, input: Attention): Prepared {
  const { axis, frames, places, channels, heads, q, k, v, bias } = input;
  const { tf } = runtime;
  const headDim = channels / heads;
  const shape = [frames, places, heads, headDim];
  const perm = axis === 'space' ? [0, 2, 1, 3] : [1, 2, 0, 3];
  const back = axis === 'space' ? [0, 2, 1, 3] : [2, 0, 1, 3];
  const inputs = [
    ...[q, k, v].map((data) => ({ shape, data })),
    ...(bias ? [{ shape: [1, heads, frames, frames], data: bias }] : []),
  ];
  return prepareTfjs(runtime, inputs, (...tensors) => {
    const [q, k, v] = tensors.slice(0, 3).map((tensor) => tf.transpose(tensor, perm));
    const logits = tf.matMul(tf.mul(q!, 1 / Math.sqrt(headDim)), k!, false, true);
    const weights = tf.softmax(tensors[3] ? tf.add(logits, tensors[3]) : logits);
    return tf.reshape(tf.transpose(tf.matMul(weights, v!), back), [frames, places, channels]);
  });
}

/** [B, L, N, H] is what jax's attention takes: frames and places change sides for attention over time. */
export function jaxAttention(runtime: Jax, input: Attention): Promise<Prepared> {
  const { axis, frames, places, channels, heads, q, k, v, bias } = input;
  const { nn, numpy } = runtime.api;
  const inputs = [
    ...[q, k, v].map((data) => ({ shape: [frames, places, heads, channels / heads], data })),
    ...(bias ? [{ shape: [1, heads, frames, frames], data: bias }] : []),
  ];
  return prepareJax(runtime, inputs, (...arrays) => {
    const turn = (array: (typeof arrays)[number]) => (axis === 'space' ? array : numpy.transpose(array, [1, 0, 2, 3]));
    const [q, k, v] = arrays.slice(0, 3).map(turn);
    return turn(nn.dotProductAttention(q!, k!, v!, arrays[3] && { bias: arrays[3] }));
  });
}
