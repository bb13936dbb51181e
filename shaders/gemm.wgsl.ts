// The workgroup-tiled matrix product behind conv3d and linear, as WGSL text. It knows rows and channels, not axes:
// where a row's inputs lie is told by its caller.
import { type EpilogueOptions, finish, weightAt } from './epilogue.wgsl';
import { components, counted, wgsl } from './wgsl';

/** What one workgroup makes, and how its threads divide it. */
export interface GemmTile {
  /** Output rows of a workgroup. */
  readonly rows: number;
  /** Output channels of a workgroup. */
  readonly columns: number;
  /** Input channels of one step: a step never crosses a tap. */
  readonly depth: number;
  readonly threadRows: number;
  /** A multiple of 4. */
  readonly threadColumns: number;
}

export interface GemmSource {
  readonly tile: GemmTile;
  /** The input channels come in whole vec4s. */
  readonly inputAligned: boolean;
  /** Taps of one row. */
  readonly taps: number;
  /** Workgroups that share the depth of a tile; each stores its part of the sums, in rows of its own. 1 where none do. */
  readonly slices: number;
  /** Declarations for which tap is the current one; `tap` is the first. */
  readonly state: string;
  /** `row` is a WGSL expression: declares what `place` needs to know of that row, under names that end in `j`. */
  readonly prepare: (row: string, j: number) => string;
  /** Sets `from{j}: u32`, the element of x where the tap's channels begin, and `inside{j}: bool`. */
  readonly place: (j: number) => string;
  /** Moves on to the next tap. */
  readonly nextTap: string;
}

function gemmThreads({ rows, columns, threadRows, threadColumns }: GemmTile): number {
  return (rows / threadRows) * (columns / threadColumns);
}

export function gemmTileLabel({ rows, columns, depth, threadRows, threadColumns }: GemmTile, slices = 1): string {
  return `tiled ${rows}x${columns}x${depth} by ${threadRows}x${threadColumns}${slices > 1 ? ` in ${slices} slices` : ''}`;
}

/** @throws RangeError where the threads cannot share the loads of a tile evenly */
function checkGemmTile(tile: GemmTile): void {
  const threads = gemmThreads(tile);
  const loads = [(tile.rows * tile.depth) / 4, (tile.columns * tile.depth) / 4];
  const fits =
    tile.threadColumns % 4 === 0 &&
    threads <= 256 &&
    loads.every((count) => count % threads === 0) &&
    threads % (tile.depth / 4) === 0 &&
    threads % (tile.columns / 4) === 0;
  if (!fits) throw new RangeError(`gemm ${gemmTileLabel(tile)}: ${threads} threads cannot load it evenly`);
}

/**
 * Entry point over x, weight [taps · Cin, Cout] and out [slices, rows, Cout]. Grid: x column tiles, once for each slice,
 * y and z row tiles. It needs `params.rows`, `params.cin` and `params.cout`. The next step's tile is fetched into registers
 * while this one is used.
 */
export function gemmMain(options: EpilogueOptions, source: GemmSource): string {
  const { tile, inputAligned, taps, slices, state, prepare, place, nextTap } = source;
  checkGemmTile(tile);
  const { rows, columns, depth, threadRows, threadColumns } = tile;
  const threads = gemmThreads(tile);
  const quads = columns / 4; // vec4s of output channels in a tile
  const across = columns / threadColumns; // threads along the channels
  const down = rows / threadRows;
  const steps = depth / 4;
  const rowLoads = counted((rows * steps) / threads);
  const weightLoads = counted((depth * quads) / threads);
  const unit = options.aligned ? 4 : 1;
  const M = counted(threadRows); // rows of a thread's sums
  const N = counted(threadColumns / 4); // vec4s of each

  const fetchRow = (j: number): string =>
    inputAligned
      ? `a${j} = vec4f(); if (inside${j} && channel < params.cin) { a${j} = x[(from${j} + channel) >> 2u]; }`
      : wgsl`a${j} = vec4f(); if (inside${j}) {
        ${counted(4).map((i) => `if (channel + ${i}u < params.cin) { a${j}[${i}] = x[from${j} + channel + ${i}u]; }`)}
      }`;
  const product = (component: string, c: number): string[] => [
    ...N.map((n) => `let b${c}_${n} = tileB[(k * 4u + ${c}u) * ${quads}u + across + ${n * across}u];`),
    ...M.map((m) => N.map((n) => `s${m}_${n} = fma(vec4f(r${m}.${component}), b${c}_${n}, s${m}_${n});`).join(' ')),
  ];

  return wgsl`
${weightAt(options)}
${finish(options)}
// Rows and channels are dealt to the threads in turn, so that neighbours read neighbouring words.
var<workgroup> tileA: array<vec4f, ${steps * rows}>; // [depth / 4][rows], four channels each
var<workgroup> tileB: array<vec4f, ${depth * quads}>; // [depth][columns / 4]

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let firstRow = (workgroup.z * workgroups.y + workgroup.y) * ${rows}u;
  let columnTiles = (params.cout + ${columns - 1}u) / ${columns}u;
  let slice = workgroup.x / columnTiles;
  let firstColumn = workgroup.x % columnTiles * ${columns}u;
  let tapSteps = (params.cin + ${depth - 1}u) / ${depth}u;
  let share = (${taps}u * tapSteps + ${slices - 1}u) / ${slices}u;
  let firstStep = slice * share;
  let endStep = min(firstStep + share, ${taps}u * tapSteps);
  let loadStep = local % ${steps}u;
  let loadRow = local / ${steps}u;
  ${rowLoads.map((j) => prepare(`firstRow + loadRow + ${(j * threads) / steps}u`, j))}
  let loadQuad = local % ${quads}u;
  let loadDepth = local / ${quads}u;
  let weightPitch = params.cout / ${unit}u;
  let loadColumn = firstColumn / ${unit}u + loadQuad * ${4 / unit}u;
  let across = local % ${across}u;
  let down = local / ${across}u;
  ${rowLoads.map((j) => `var from${j} = 0u; var inside${j} = false; var a${j} = vec4f();`)}
  ${weightLoads.map((j) => `var b${j} = vec4f();`)}
  ${M.map((m) => N.map((n) => `var s${m}_${n} = vec4f();`).join(' '))}
  var tap = firstStep / tapSteps;
  var base = firstStep % tapSteps * ${depth}u; // the step's first input channel
  ${state}
  for (var step = firstStep; step <= endStep; step++) {
    if (step < endStep) {
      if (base == 0u || step == firstStep) {
        ${rowLoads.map(place)}
      }
      let channel = base + loadStep * 4u;
      ${rowLoads.map(fetchRow)}
      // Below a tap's last channel these are the next tap's weights, times inputs that are zero.
      let weightRow = tap * params.cin + base + loadDepth;
      ${weightLoads.map((j) => `b${j} = weightAt((weightRow + ${(j * threads) / quads}u) * weightPitch + loadColumn);`)}
      base += ${depth}u;
      if (base >= params.cin) {
        base = 0u;
        tap++;
        ${nextTap}
      }
    }
    if (step > firstStep) {
      for (var k = 0u; k < ${steps}u; k++) {
      ${M.map((m) => `let r${m} = tileA[k * ${rows}u + down + ${m * down}u];`)}
      ${components.flatMap(product)}
      }
    }
    workgroupBarrier();
    ${rowLoads.map((j) => `tileA[loadStep * ${rows}u + loadRow + ${(j * threads) / steps}u] = a${j};`)}
    ${weightLoads.map((j) => `tileB[(loadDepth + ${(j * threads) / quads}u) * ${quads}u + loadQuad] = b${j};`)}
    workgroupBarrier();
  }
  ${M.map(
    (m) => wgsl`if (firstRow + down + ${m * down}u < params.rows) {
    ${N.map((n) => `finish(s${m}_${n}, slice * params.rows + firstRow + down + ${m * down}u, firstColumn + (across + ${n * across}u) * 4u);`)}
  }`,
  )}
}
`;
}
