// SiLU as a WGSL function, for the norms, products and maps that apply it to their results. Not a kernel.
import { wgsl } from './wgsl';

/** `silu(y)`. Below -80 it is next to 0, and exp would leave the numbers that WGSL vouches for. */
export function siluFunction(type: 'f32' | 'vec4f'): string {
  return wgsl`fn silu(y: ${type}) -> ${type} { return y / (1.0 + exp(-max(y, ${type}(-80.0)))); }`;
}
