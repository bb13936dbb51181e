// The report: numbers come from the result, and the document around it stays.
import { expect, test } from 'vitest';
import { markdownTable, marks, report, withReport } from '../../src/bench/report';
import { armRows, columns, digits } from '../../src/bench/rows';
import { arm, caseOf, failedArm, lengthOf, planOf, resultOf } from './results';

const arms = [
  arm('flipbook', 'ours', 1000),
  arm('onnxruntime-web', 'as written', 7000),
  failedArm('tfjs', 'as written', 'Invalid | pipeline'),
  arm('onnxruntime-web wasm', 'record', 100),
];
const result = resultOf([caseOf('conv3d', arms)]);

test('three significant digits, never an exponent', () => {
  expect([0, 1234.5, 12.345, 1.2345, 0.012345].map(digits)).toEqual(['0', '1235', '12.3', '1.23', '0.0123']);
});

test('rows say how fast, how near the limit and how much slower than ours', () => {
  const [ours, ort, failed, cpu] = armRows(result.cases[0]!, result.ceilings).map(({ cells }) => cells);
  expect(ours).toEqual(['Flipbook', 'somehow', '1000 (900–1100) of 5', '4.00', '50 %', '', '2', '', '1.0e-6']);
  expect(ort!.slice(3, 6)).toEqual(['0.571', '7 %', '7.00×']);
  expect(failed![1]).toContain('Invalid | pipeline');
  expect(cpu!.slice(4, 7)).toEqual(['', '0.100×', '']);
  for (const cells of [ours, ort, failed, cpu]) expect(cells).toHaveLength(columns.length);
});

test('the report tells how kernels were tuned, if they were', () => {
  const tuning = { milliseconds: 1234, budget: 3000, problems: 20, measured: 14, changed: 3, remembered: true };
  const told = 'Tuning: 1.2 s of at most 3.0 s, 14 of 20 kernels measured, 3 changed';
  expect(report(resultOf(result.cases, { tuning }))).toContain(`- ${told}\n`);
  expect(report(resultOf(result.cases, { tuning: { ...tuning, remembered: false } }))).toContain(
    `- ${told}; this browser keeps nothing\n`,
  );
  expect(report(result)).not.toContain('Tuning');
});

test('the report tells goals, failures and predictions', () => {
  const text = report(
    resultOf(result.cases, {
      failures: ['decode: it took longer than 6 minutes'],
      predictions: [
        {
          adapter: 'some GPU',
          assumptions: 'much',
          pictureMilliseconds: 1.5,
          stepMilliseconds: 12,
          decodeMilliseconds: 34,
          clipSeconds: 5.6,
        },
      ],
      download: { engine: 60_000, page: 90_000, onnxruntime: 7_000_000 },
    }),
  );
  expect(text).toContain('| conv3d_vs_as_written | 7.00× | 6× | reached |');
  expect(text).toContain('| decode_vs_ort | not measured | 3× |  |');
  expect(text).toContain('| 3D convolution | 7.00× |  |  |');
  expect(text).toContain('- decode: it took longer than 6 minutes');
  expect(text).toContain('| some GPU | 1.50 | 12.0 | 34.0 | 5.60 | much |');
  expect(text).toContain('engine 60.0 kB');
  expect(text).toContain('Invalid \\| pipeline');
});

const cold = (more: { weightBytes?: number } = {}) =>
  caseOf('cold_start', [
    arm('flipbook', 'ours', 3500, { peakGpuBytes: 20e6, ...more }),
    arm('onnxruntime-web', 'as written', 24000, { peakGpuBytes: 70e6 }),
  ]);
const step = caseOf('denoiser_step', [
  arm('flipbook', 'ours', 1000),
  arm('onnxruntime-web', 'as written', 14000),
  arm('onnxruntime-web wasm', 'record', 200),
]);

test('a cold start is also told without its step', () => {
  const told = 'Without that step it is about 4.00: (24000 - 14000) / (3500 - 1000) ms.';
  expect(report(resultOf([step, cold()]))).toContain(
    `- \`cold_start_vs_ort\` has one denoiser step in it on each side. ${told}\n`,
  );
  expect(report(resultOf([cold()]))).not.toContain('Without that step');
  const slower = caseOf('denoiser_step', [arm('flipbook', 'ours', 4000), arm('onnxruntime-web', 'as written', 14000)]);
  expect(report(resultOf([slower, cold()])), 'no step is longer than a start with it').not.toContain(
    'Without that step',
  );
});

test('memory is also told with both sides’ weights in one format, where their bytes are known', () => {
  const told = "- `peak_gpu_bytes_vs_ort` compares our weights in fp16 with the peer's in f32.";
  expect(report(resultOf([cold()]))).toContain(`${told}\n`);
  expect(report(resultOf([cold({ weightBytes: 15e6 })]))).toContain(
    `${told} With the peer's in fp16 (15.0 MB less) it would be about 2.75, with ours in f32 (as much more) about 2.00.\n`,
  );
});

test('a ratio over as-written arms alone is told to be that', () => {
  const failed = failedArm('onnxruntime-web', 'strongest rewrite', 'its result is off');
  const written = [arm('flipbook', 'ours', 10), arm('jax-js', 'as written', 20)];
  const told =
    "- `spatial_attention` is over as-written arms alone: no strongest rewrite (onnxruntime-web's somehow) gave a verified result in any case.\n";
  const without = caseOf('spatial_attention', [...written, failed]);
  const others = [
    caseOf('temporal_attention', [...written, failed]),
    caseOf('temporal_attention', [...written, arm('onnxruntime-web', 'strongest rewrite', 30)]),
    caseOf('linear', written), // nobody wrote a stronger one
    caseOf('conv3d', [...written, failed]), // a ratio for each kind
  ];
  const text = report(resultOf([without, without, ...others]));
  expect(text).toContain(told);
  expect(text.match(/as-written arms alone/g)).toHaveLength(1);
  expect(report(resultOf(others))).not.toContain('Ratios to read with care');
});

test('programs are shown with their arena, against the sum of activations and what is alive', () => {
  const step = planOf({
    runs: 8,
    dispatches: 99,
    flops: 5e8,
    bytes: 6e7,
    arenaBytes: 2e6,
    activationBytes: 2e7,
    liveBytes: 1.8e6,
  });
  const text = report(resultOf([], { plans: [step, { ...step, name: 'another way', runs: 0 }] }));
  expect(text).toContain('| picture step | 8 | 99 | 500 | 60.0 | 2.00 | 20.0 | 10.0 % | 90.0 % |');
  expect(text).toContain('| another way | to compare | 99 |');
  expect(report(resultOf([]))).not.toContain('Programs of the page');
});

test('a profile lists the slowest kernels with their share of the time and of the limit', () => {
  const kernel = { label: 'conv', calls: 3, milliseconds: 30, gflops: 2, gigabytesPerSecond: 5 };
  const small = Array.from({ length: 13 }, (_, i) => ({ ...kernel, label: `small ${i}`, calls: 1, milliseconds: 1 }));
  const found = { ...caseOf('denoiser_step', arms), profile: [kernel, ...small] };
  const text = report(resultOf([found]));
  expect(text).toContain('| conv | 3 | 30.0 | 69.8 % | 2.00 | 50 % |');
  expect(text).toContain('| small 10 | 1 | 1.00 | 2.33 % |');
  expect(text).not.toContain('small 11');
  expect(text).toContain('| 2 others | 2 | 2.00 | 4.65 % |  |  |');
});

test('lengths are shown per frame and step', () => {
  const text = report(resultOf([lengthOf(12, 1, 240), lengthOf(12, 4, 960)]));
  expect(text).toContain('| 12 frames, one step | 4.00 | 2 | 240 | 20.0 | 333 |');
  expect(text).toContain('| 12 frames, 4 steps | 4.00 | 2 | 960 | 20.0 | 83.3 |');
});

test('only what stands between the marks is replaced', () => {
  const document = `before\n${marks.begin}\nstale numbers\n${marks.end}\nafter\n`;
  const once = withReport(document, result);
  expect(once.startsWith(`before\n${marks.begin}\n`)).toBe(true);
  expect(once.endsWith(`${marks.end}\nafter\n`)).toBe(true);
  expect(once).not.toContain('stale numbers');
  expect(withReport(once, result)).toBe(once);
  expect(() => withReport('nothing', result)).toThrow(marks.begin);
});

test('tables align numbers to the right', () => {
  expect(markdownTable(['a', 'b'], [['x', '1']], [false, true])).toBe('| a | b |\n| --- | ---: |\n| x | 1 |');
});
