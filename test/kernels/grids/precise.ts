// A place for the exact functions, which are text: the grids of noise_update and embed compile them. It has no cases of its own.
import type { ShaderFamily } from '../grid';

/** WGSL functions as text: noise_update and embed compile them. */
export const family: ShaderFamily = { grids: [] };
