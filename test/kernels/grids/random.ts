// Both outputs of the random kernel, for the compile test. Results are random.test.ts's.
import { random } from '../../../shaders/random.wgsl';
import { grid, type ShaderFamily } from '../grid';

export const family: ShaderFamily = { grids: [grid(random, { output: ['words', 'normals'] })] };
