// Every module that draws a frame, for the compile test. Results are present.test.ts's.
import { present } from '../../../shaders/present.wgsl';
import type { ShaderFamily } from '../grid';

const outputs = ['opaque', 'premultiplied'] as const;

/** A render shader: text without a Kernel around it. */
export const family: ShaderFamily = {
  grids: [],
  parts: [present],
  modules: outputs.map((output) => present({ output })),
};
