// One layer norm against the f64 reference: what the tests of every adapter share. Not the cases.
import { type LayerNormSchedule, layerNorm } from '../../src/ops/norm';
import { expectClose, randomValues, runPlan } from '../gpu';
import * as reference from '../reference/norm';

/** Of every norm in the tests. */
export const eps = 1e-5;

export interface LayerNormCase {
  readonly shape: readonly number[];
  readonly weight: boolean;
  readonly bias: boolean;
  /** A scale-shift per what, and its first column. */
  readonly shift: 'clip' | 'frame' | undefined;
  readonly offset: number;
}

export async function checkLayerNorm(args: LayerNormCase, schedule: LayerNormSchedule | undefined): Promise<void> {
  const { shape } = args;
  const channels = shape.at(-1)!;
  const count = shape.reduce((a, b) => a * b, 1);
  const x = randomValues(count, 21).map((value) => 2 * value + 3);
  const weight = randomValues(channels, 22);
  const bias = randomValues(channels, 23);
  const shiftRows = args.shift === 'frame' ? shape[0]! * shape[1]! : shape[0]!;
  const stride = args.offset + 2 * channels;
  const scaleShift = randomValues(shiftRows * stride, 24);
  const [out] = await runPlan((plan) =>
    layerNorm(plan, plan.f32(shape, x), {
      eps,
      ...(args.weight ? { weight: plan.f32([channels], weight) } : {}),
      ...(args.bias ? { bias: plan.f32([channels], bias) } : {}),
      ...(args.shift ? { scaleShift: plan.f32([shiftRows, stride], scaleShift), scaleShiftOffset: args.offset } : {}),
      ...(schedule ? { schedule } : {}),
    }),
  );
  const rowsPerShift = count / channels / shiftRows;
  const expected = reference.layerNorm({
    x,
    channels,
    eps,
    ...(args.weight ? { weight } : {}),
    ...(args.bias ? { bias } : {}),
    ...(args.shift
      ? {
          scaleShift: (row: number, c: number) => {
            const at = Math.floor(row / rowsPerShift) * stride + args.offset + c;
            return [scaleShift[at]!, scaleShift[at + channels]!] as const;
          },
        }
      : {}),
  });
  expectClose(out!, expected, 5e-6, shape);
}
