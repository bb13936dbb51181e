// Attention within a frame, to a prompt's tokens, and among tokens, as WGSL. Not attention across frames.
import { type Schedule, streamingSoftmax } from './streaming_softmax.wgsl';
import { type Shader, wgsl } from './wgsl';

export interface AttentionOptions {
  readonly headDim: number;
  /** Head dimension, widths and offsets are multiples of four. */
  readonly aligned: boolean;
  readonly masked: boolean;
  readonly schedule: Schedule;
}

/** Query i of batch b is row b·queries + i; key j is row b·keys + j. Arguments: q, k, v, mask [batches, keys] if masked, out. */
export function attention(options: AttentionOptions): Shader {
  return streamingSoftmax({
    ...options,
    label: 'attention',
    params: [],
    rows: wgsl`
fn firstQuery(batch: u32) -> u32 { return batch * params.queries; }
fn firstKey(batch: u32) -> u32 { return batch * params.keys; }
`,
  });
}
