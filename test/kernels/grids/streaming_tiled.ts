// Grid cases of the workgroup-tiled streaming softmax, for the compile and numeric tests. Not a reference.
import { streamingTiled } from '../../../shaders/streaming_tiled.wgsl';
import type { ShaderFamily } from '../grid';

/** A part of streaming_softmax. */
export const family: ShaderFamily = { grids: [], parts: [streamingTiled] };
