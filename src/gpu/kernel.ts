// What a compute kernel is to the engine: WGSL text, how it uses each argument, and its uniforms. It knows no shader.

export type Access = 'read' | 'write' | 'readWrite';
export type Param = readonly [name: string, type: 'u32' | 'i32' | 'f32'];
export type Grid = readonly [x: number, y: number, z: number];

/** Structurally the same as `Shader` of shaders/wgsl.ts, which imports nothing from here. */
export interface Kernel {
  readonly label: string;
  /** WGSL with the entry point `main`. */
  readonly code: string;
  /**
   * Argument i is the storage buffer `@group(0) @binding(i)`: `var<storage, read>` for 'read', else
   * `var<storage, read_write>`.
   */
  readonly access: readonly Access[];
  /** The uniform struct `params: Params` at `@binding(access.length)`; empty means that there is none. */
  readonly params: readonly Param[];
}

/** WebGPU's default limit on workgroups along one axis of a dispatch. */
export const maxGroups = 65535;

/**
 * A grid of at least `threads` invocations in workgroups of `size` along x, folded into y where x alone is too short.
 * The kernel counts them the same way (`linearMain` of shaders/wgsl.ts), and must return where a thread lies past the end.
 */
export function linearGrid(threads: number, size: number): Grid {
  const groups = Math.max(1, Math.ceil(threads / size));
  if (groups <= maxGroups) return [groups, 1, 1];
  const rows = Math.ceil(groups / maxGroups);
  return [Math.ceil(groups / rows), rows, 1];
}

/**
 * The bytes of the uniform struct, in the order of `params`.
 * @throws TypeError where a value is missing, left over or not its type
 */
export function packParams(kernel: Kernel, values: Readonly<Record<string, number>>): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(kernel.params.length);
  const floats = new Float32Array(words.buffer);
  kernel.params.forEach(([name, type], i) => {
    const value = values[name];
    if (value === undefined) throw new TypeError(`${kernel.label}: no value for the parameter ${name}`);
    if (type === 'f32') {
      if (Number.isNaN(value)) throw new TypeError(`${kernel.label}: ${name} is NaN`);
      floats[i] = value;
    } else {
      const low = type === 'u32' ? 0 : -(2 ** 31);
      const high = type === 'u32' ? 2 ** 32 : 2 ** 31;
      if (!Number.isInteger(value) || value < low || value >= high) {
        throw new TypeError(`${kernel.label}: ${name} is ${value}, expected a whole ${type}`);
      }
      words[i] = value;
    }
  });
  const known = new Set(kernel.params.map(([name]) => name));
  const unknown = Object.keys(values).filter((name) => !known.has(name));
  if (unknown.length > 0) throw new TypeError(`${kernel.label}: it has no parameter ${unknown.join(', ')}`);
  return words;
}
