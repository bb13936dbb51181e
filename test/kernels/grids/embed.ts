// The one timestep embedding, for the compile test. Results are embed.test.ts's.
import { timestepEmbedding } from '../../../shaders/embed.wgsl';
import { each, type ShaderFamily } from '../grid';

export const family: ShaderFamily = { grids: [each(timestepEmbedding, [[]])] };
