// One linear layer or convolution against the f64 reference: what the tests of every adapter share. Not the cases.
import { expect } from 'vitest';
import { type Conv3dVariant, conv3d } from '../../src/ops/conv3d';
import { type LinearVariant, linear } from '../../src/ops/linear';
import { expectClose, randomValues, roundToHalf, runPlan, testGpu } from '../gpu';
import { convOutputShape, type ReferenceConv, referenceConv3d } from '../reference/conv3d';
import { referenceEpilogue, referenceLinear } from '../reference/matmul';

export interface LinearCase {
  readonly lead: readonly number[];
  readonly cin: number;
  readonly cout: number;
  readonly bias?: boolean;
  readonly residual?: boolean;
  readonly activation?: 'silu' | 'gelu';
}

export interface Conv3dCase extends Partial<ReferenceConv> {
  readonly input: ReferenceConv['input'];
  readonly cout: number;
  readonly kernel: ReferenceConv['kernel'];
  readonly bias?: boolean;
  readonly residual?: boolean;
  readonly activation?: 'silu';
}

/** The reference's weights are rounded to f16 too: what is left is the arithmetic, which must be f32's. */
const tolerance = 2e-6;

/** Fails where the result is off, or where a variant does not say that it needs a feature that is missing. */
export async function checkLinear(shape: LinearCase, variant: LinearVariant | undefined): Promise<void> {
  const { lead, cin, cout, bias, residual, activation } = shape;
  const rows = lead.reduce((a, b) => a * b, 1);
  const x = randomValues(rows * cin, 1);
  const weight = roundToHalf(randomValues(cin * cout, 2));
  const biasValues = bias ? randomValues(cout, 3) : undefined;
  const residualValues = residual ? randomValues(rows * cout, 4) : undefined;
  const result = runPlan((plan) => {
    const out = linear(
      plan,
      plan.f32([...lead, cin], x),
      {
        weight: plan.f16([cin, cout], weight),
        bias: biasValues && plan.f32([cout], biasValues),
        residual: residualValues && plan.f32([...lead, cout], residualValues),
        activation,
      },
      variant,
    );
    expect(out.shape).toEqual([...lead, cout]);
    return out;
  });
  if (variant?.kind === 'direct' && variant.shared && !(await testGpu()).features.subgroups) {
    await expect(result).rejects.toThrow('subgroups');
    return;
  }
  const [actual] = await result;
  const expected = referenceEpilogue(referenceLinear(x, weight, cin, cout), cout, {
    ...(biasValues && { bias: biasValues }),
    ...(residualValues && { residual: residualValues }),
    activation: activation ?? 'none',
  });
  expectClose(actual!, expected, tolerance, [rows, cout]);
}

/** See `checkLinear`. */
export async function checkConv3d(shape: Conv3dCase, variant: Conv3dVariant | undefined): Promise<void> {
  const { bias, residual, activation = 'none', ...rest } = shape;
  const conv: ReferenceConv = { stride: [1, 1, 1], padding: [0, 0, 0], circular: [false, false, false], ...rest };
  const { input, cout, kernel } = conv;
  const taps = kernel[0] * kernel[1] * kernel[2];
  const cin = input[4];
  const outShape = convOutputShape(conv);
  const size = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);
  const x = randomValues(size(input), 1);
  const weight = roundToHalf(randomValues(taps * cin * cout, 2));
  const biasValues = bias ? randomValues(cout, 3) : undefined;
  const residualValues = residual ? randomValues(size(outShape), 4) : undefined;
  const result = runPlan((plan) => {
    const out = conv3d(
      plan,
      plan.f32(input, x),
      {
        ...conv,
        weight: plan.f16([taps, cin, cout], weight),
        bias: biasValues && plan.f32([cout], biasValues),
        residual: residualValues && plan.f32(outShape, residualValues),
        activation: shape.activation,
      },
      variant,
    );
    expect(out.shape).toEqual(outShape);
    return out;
  });
  if (variant?.kind === 'direct' && variant.shared && !(await testGpu()).features.subgroups) {
    await expect(result).rejects.toThrow('subgroups');
    return;
  }
  const [actual] = await result;
  const expected = referenceEpilogue(referenceConv3d(conv, x, weight), cout, {
    ...(biasValues && { bias: biasValues }),
    ...(residualValues && { residual: residualValues }),
    activation,
  });
  expectClose(actual!, expected, tolerance, outShape);
}
