// Grid cases of the softmax over a few keys at once, for the compile and numeric tests. Not a reference.
import { streamingWhole } from '../../../shaders/streaming_whole.wgsl';
import type { ShaderFamily } from '../grid';

/** A part of streaming_softmax. */
export const family: ShaderFamily = { grids: [], parts: [streamingWhole] };
