// The charts of a result as one Vega-Lite specification: ratios with their goals, every arm's share of the adapter's limit,
// and time over frames. It draws nothing: scripts/bench.mjs has Vega make an SVG of it.
import type { TopLevelSpec } from 'vega-lite';
import type { NonNormalizedSpec } from 'vega-lite/types_unstable/spec/index.js';
import { targets, titles } from './report';
import { type BenchResult, limitMilliseconds, ratioNames } from './result';
import { digits } from './rows';

const width = 460;
const ours = '#c2410c';
const colors = { flipbook: ours, 'onnxruntime-web': '#2563eb', tfjs: '#ca8a04', 'jax-js': '#6b7280' };

/** Panels for what was measured; undefined where nothing was. */
export function charts(result: BenchResult): TopLevelSpec | undefined {
  const panels = [ratios(result), limits(result), frames(result)].filter((panel) => panel !== undefined);
  if (panels.length === 0) return undefined;
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    padding: 12,
    config: {
      font: 'system-ui, sans-serif',
      axis: { titleFontWeight: 'normal' },
      title: { anchor: 'start', subtitleColor: '#57534e' },
      view: { stroke: null },
    },
    spacing: 40,
    resolve: { scale: { color: 'independent', shape: 'independent' } },
    vconcat: panels,
  };
}

function ratios({ ratios: found }: BenchResult): NonNormalizedSpec | undefined {
  const values = ratioNames.flatMap((name) => {
    const ratio = found[name];
    if (ratio === null) return [];
    return [{ name: name.replaceAll('_', ' '), ratio, label: `${digits(ratio)}×`, goal: targets[name], one: 1 }];
  });
  if (values.length === 0) return undefined;
  const most = 1.4 * Math.max(...values.map(({ ratio }) => ratio));
  const y = { field: 'name', type: 'nominal', sort: null, title: null } as const;
  const scale = { type: 'log', nice: false, domainMax: most } as const;
  const x = { type: 'quantitative', scale, title: 'times as fast, or as small' } as const;
  return {
    title: { text: 'Ours over the peers', subtitle: 'geometric means over shapes; black: the goal' },
    width,
    data: { values },
    layer: [
      {
        mark: { type: 'bar', color: ours, height: 12 },
        encoding: { y, x: { ...x, field: 'ratio' }, x2: { field: 'one' } },
      },
      {
        mark: { type: 'text', align: 'left', dx: 6 },
        encoding: { y, x: { ...x, field: 'ratio' }, text: { field: 'label' } },
      },
      {
        transform: [{ filter: 'datum.goal !== null' }],
        mark: { type: 'tick', color: 'black', thickness: 2, size: 18 },
        encoding: { y, x: { ...x, field: 'goal' } },
      },
    ],
  };
}

/** Arms on the GPU in all cases with a limit: kernels, and the whole model. */
function limits({ cases, ceilings }: BenchResult): NonNormalizedSpec | undefined {
  if (!ceilings) return undefined;
  const values = cases
    .filter(({ group, cost }) => group !== 'frames' && cost.flops > 0)
    .flatMap(({ group, name, cost, arms }) =>
      arms.flatMap(({ runtime, kind, milliseconds }) => {
        if (!milliseconds || kind === 'record') return [];
        const share = limitMilliseconds(cost, ceilings) / milliseconds.median;
        return [{ group: titles[group], name, library: runtime, kind, share }];
      }),
    );
  if (values.length === 0) return undefined;
  return {
    title: {
      text: "Share of the adapter's limit",
      subtitle: `${digits(ceilings.gflops)} GFLOP/s of multiply-adds, ${digits(ceilings.gigabytesPerSecond)} GB/s of copying, measured in the same run`,
    },
    data: { values },
    facet: {
      row: {
        field: 'group',
        sort: [...new Set(values.map(({ group }) => group))],
        title: null,
        header: { labelAngle: 0, labelAnchor: 'start', labelOrient: 'top', labelFontWeight: 'bold', labelPadding: 0 },
      },
    },
    spacing: 4,
    resolve: { scale: { y: 'independent' } },
    spec: {
      width,
      height: { step: 18 },
      mark: { type: 'point', filled: true, size: 70, opacity: 0.9 },
      encoding: {
        y: { field: 'name', type: 'nominal', sort: null, title: null, axis: { grid: true, labelLimit: 320 } },
        x: {
          field: 'share',
          type: 'quantitative',
          scale: { type: 'log' },
          axis: { format: '~%', tickCount: 4 },
          title: null,
        },
        color: {
          field: 'library',
          type: 'nominal',
          sort: null,
          title: null,
          scale: { domain: Object.keys(colors), range: Object.values(colors) },
        },
        shape: { field: 'kind', type: 'nominal', sort: null, title: null },
      },
    },
  };
}

/** One step at several lengths, and the straight line through nothing and the longest. */
function frames({ cases }: BenchResult): NonNormalizedSpec | undefined {
  const values = cases.flatMap(({ frames, steps, arms }) => {
    const milliseconds = arms[0]?.milliseconds?.median;
    return frames && steps === 1 && milliseconds ? [{ frames, milliseconds }] : [];
  });
  const last = values.at(-1);
  if (!last) return undefined;
  const x = { field: 'frames', type: 'quantitative', title: 'frames' } as const;
  const y = { field: 'milliseconds', type: 'quantitative', title: 'ms' } as const;
  return {
    title: { text: 'One denoiser step over frames', subtitle: 'dashed: in proportion' },
    width,
    height: 180,
    layer: [
      {
        data: { values: [{ frames: 0, milliseconds: 0 }, last] },
        mark: { type: 'line', strokeDash: [4, 4], color: '#a8a29e' },
        encoding: { x, y },
      },
      { data: { values }, mark: { type: 'point', filled: true, size: 70, color: ours }, encoding: { x, y } },
    ],
  };
}
