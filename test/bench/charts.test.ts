// The charts: what they show of a result, drawn as the bench's command draws it.
import { parse, View } from 'vega';
import { compile } from 'vega-lite';
import { expect, test } from 'vitest';
import { charts } from '../../src/bench/charts';
import { arm, caseOf, failedArm, lengthOf, resultOf } from './results';

const svgOf = (result: Parameters<typeof charts>[0]) =>
  new View(parse(compile(charts(result)!).spec), { renderer: 'none' }).toSVG();

/** What the marks of one panel say of themselves to a screen reader. */
const marks = (svg: string, field: string) =>
  [...svg.matchAll(/aria-label="([^"]*)"/g)]
    .map(([, label]) => label!)
    .filter((label) => label.startsWith(`${field}: `));

const conv = caseOf('conv3d', [
  arm('flipbook', 'ours', 1000),
  arm('onnxruntime-web', 'as written', 7000),
  failedArm('tfjs', 'as written', 'no'),
  arm('onnxruntime-web wasm', 'record', 100),
]);

test('ratios have a bar, a number and their goal', async () => {
  const svg = await svgOf(resultOf([conv], { ceilings: null }));
  expect(svg).toContain('>7.00×<');
  expect(svg).toContain('>conv3d vs as written<');
  expect(svg).not.toContain('decode vs ort');
  expect(svg).not.toContain('NaN');
  const tick = marks(svg, 'times as fast, or as small');
  expect(tick.some((label) => label.includes(': 6;'))).toBe(true); // the goal
});

test('every arm on the GPU has a point at its share of the limit', async () => {
  // 4 GFLOP at 8 GFLOP/s take 500 ms at least.
  const points = marks(await svgOf(resultOf([conv])), 'share');
  expect(points).toHaveLength(2);
  expect(points[0]).toContain('share: 50%;');
  expect(points[0]).toContain('library: flipbook');
  expect(points[1]).toContain('library: onnxruntime-web');
});

test('lengths are points over frames; several steps are no length', async () => {
  const cases = [lengthOf(12, 1, 240), lengthOf(36, 1, 700), lengthOf(12, 4, 960)];
  const points = marks(await svgOf(resultOf(cases)), 'frames').filter((label) => label.includes('ms: '));
  expect(points.filter((label) => label.startsWith('frames: 12;'))).toEqual(['frames: 12; ms: 240']);
  expect(points).toContain('frames: 36; ms: 700');
});

test('nothing measured, nothing drawn', () => {
  expect(charts(resultOf([]))).toBeUndefined();
});
