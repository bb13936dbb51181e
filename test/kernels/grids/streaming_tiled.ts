import { streamingTiled } from '../../../shaders/streaming_tiled.wgsl';
import type { ShaderFamily } from '../grid';

/** A part of streaming_softmax. */
export const family: ShaderFamily = { grids: [], parts: [streamingTiled] };
