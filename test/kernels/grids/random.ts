import { random } from '../../../shaders/random.wgsl';
import { grid, type ShaderFamily } from '../grid';

export const family: ShaderFamily = { grids: [grid(random, { output: ['words', 'normals'] })] };
