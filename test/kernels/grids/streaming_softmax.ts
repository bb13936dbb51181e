// The head widths and schedules of attention, for the grids of attention and temporal_attention, which compile them. It has
// no cases of its own.
import {
  type Schedule,
  streamingSoftmax,
  streamingTiles,
  streamingWorkgroup,
} from '../../../shaders/streaming_softmax.wgsl';
import type { ShaderFamily } from '../grid';

/** Head dimensions with the schedules that src/ops chooses for them. */
export const headOptions: readonly { headDim: number; aligned: boolean; schedule: Schedule }[] = [
  { headDim: 32, aligned: true },
  { headDim: 64, aligned: true },
  { headDim: 96, aligned: true },
  { headDim: 10, aligned: false },
].flatMap((head) => schedules(head.headDim).map((schedule) => ({ ...head, schedule })));

function schedules(headDim: number): readonly Schedule[] {
  const lanes = headDim > 64 ? 8 : 4;
  const keys = headDim > 64 ? 16 : 32;
  return [
    { kind: 'direct', rows: 4, keys: 4 },
    { kind: 'direct', rows: 3, keys: 2 },
    { kind: 'direct', rows: 2, keys: 3 },
    { kind: 'direct', rows: 1, keys: 4 },
    { kind: 'direct', rows: 3, keys: 3, most: 64 },
    ...(headDim % 4 === 0 ? ([{ kind: 'direct', rows: 4, keys: 4, quads: true }] as const) : []),
    { kind: 'tiled', queries: 16, lanes, rows: 1, keys: 16 },
    { kind: 'tiled', queries: 32, lanes, rows: 1, keys },
    { kind: 'tiled', queries: 32, lanes, rows: 2, keys },
    { kind: 'tiled', queries: 32, lanes, rows: 2, keys: 32, subgroups: true, f16: true },
    { kind: 'whole', rows: 3, keys: 9, quads: headDim % 4 === 0 },
  ];
}

/** A part of the attention families, which compile it with their own rows. */
export const family: ShaderFamily = { grids: [], parts: [streamingSoftmax, streamingTiles, streamingWorkgroup] };
