import { timestepEmbedding } from '../../../shaders/embed.wgsl';
import { each, type ShaderFamily } from '../grid';

export const family: ShaderFamily = { grids: [each(timestepEmbedding, [[]])] };
