// The barrier-free streaming softmax, which the grids of attention and temporal_attention compile. It has no cases of
// its own.
import { chunksPerStep, quadsOfQueries, streamingDirect } from '../../../shaders/streaming_direct.wgsl';
import type { ShaderFamily } from '../grid';

/** A part of streaming_softmax. */
export const family: ShaderFamily = { grids: [], parts: [chunksPerStep, quadsOfQueries, streamingDirect] };
