// Every epilogue of a product, for the grids of conv3d and matmul, which compile them. It has no cases of its own.
import { epilogueLabel, finish, gemmInterface, weightAt } from '../../../shaders/epilogue.wgsl';
import type { ShaderFamily } from '../grid';

const flags = [true, false];

/** Every epilogue of convolutions and linear layers. */
export const epilogues = flags.flatMap((bias) =>
  flags.flatMap((residual) =>
    (['none', 'silu', 'gelu'] as const).flatMap((activation) =>
      flags.flatMap((aligned) => flags.map((f16) => ({ bias, residual, activation, aligned, f16 }))),
    ),
  ),
);

/** Parts: the convolutions and linear layers compile them. */
export const family: ShaderFamily = { grids: [], parts: [epilogueLabel, finish, gemmInterface, weightAt] };
