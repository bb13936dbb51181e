// The softmax over a few keys at once, which the grids of attention and temporal_attention compile. It has no cases of
// its own.
import { streamingWhole } from '../../../shaders/streaming_whole.wgsl';
import type { ShaderFamily } from '../grid';

/** A part of streaming_softmax. */
export const family: ShaderFamily = { grids: [], parts: [streamingWhole] };
