// Attention across the frames of a clip, read in place by stride, as WGSL. No permutation before or after.
import { type Schedule, streamingSoftmax } from './streaming_softmax.wgsl';
import { type Shader, wgsl } from './wgsl';

export interface TemporalAttentionOptions {
  readonly headDim: number;
  readonly aligned: boolean;
  /** A table f32 [heads, 2·reach + 1] is added to the logits, by the signed way round the circle of frames. */
  readonly biased: boolean;
  readonly schedule: Schedule;
}

/**
 * A batch is one position of one clip; frame i of it is row (clip·T + i)·positions + position: `rowStep` is positions. Keys and queries are the frames.
 * Arguments: q, k, v, bias if biased, out.
 */
export function temporalAttention({ biased, ...options }: TemporalAttentionOptions): Shader {
  return streamingSoftmax({
    ...options,
    masked: false,
    label: `temporal attention${biased ? ' biased' : ''}`,
    params: biased ? [['reach', 'i32']] : [],
    ...(biased ? { bias: 'circularBias(head, i, j)' } : {}),
    rows: wgsl`
fn firstQuery(batch: u32) -> u32 {
  return batch / params.rowStep * params.queries * params.rowStep + batch % params.rowStep;
}
fn firstKey(batch: u32) -> u32 { return firstQuery(batch); }
#if ${biased}
// From frame i to frame j the shorter way round; half a turn counts as forward.
fn circularBias(head: u32, i: u32, j: u32) -> f32 {
  let frames = i32(params.queries);
  let step = i32(j) - i32(i);
  let forward = select(step, step + frames, step < 0);
  let offset = clamp(select(forward - frames, forward, 2 * forward <= frames), -params.reach, params.reach);
  return biasTable[i32(head) * (2 * params.reach + 1) + offset + params.reach];
}
#endif
`,
  });
}
