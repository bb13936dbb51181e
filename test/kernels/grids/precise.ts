import type { ShaderFamily } from '../grid';

/** WGSL functions as text: random and embed compile them. */
export const family: ShaderFamily = { grids: [] };
