// SiLU, which the kernels that apply it compile. It has no cases of its own.
import { siluFunction } from '../../../shaders/activation.wgsl';
import type { ShaderFamily } from '../grid';

export const family: ShaderFamily = { grids: [], parts: [siluFunction] };
