// A place for the noise functions, which are text: the grid of noise_update compiles them. It has no cases of its own.
import type { ShaderFamily } from '../grid';

/** WGSL functions as text. */
export const family: ShaderFamily = { grids: [] };
