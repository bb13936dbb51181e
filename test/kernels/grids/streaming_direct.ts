// Grid cases of the barrier-free streaming softmax, for the compile and numeric tests. Not a reference.
import { quadsOfQueries, streamingDirect } from '../../../shaders/streaming_direct.wgsl';
import type { ShaderFamily } from '../grid';

/** A part of streaming_softmax. */
export const family: ShaderFamily = { grids: [], parts: [quadsOfQueries, streamingDirect] };
