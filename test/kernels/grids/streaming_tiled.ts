// The workgroup-tiled streaming softmax, which the grids of attention and temporal_attention compile. It has no cases of
// its own.
import { streamingTiled } from '../../../shaders/streaming_tiled.wgsl';
import type { ShaderFamily } from '../grid';

/** A part of streaming_softmax. */
export const family: ShaderFamily = { grids: [], parts: [streamingTiled] };
