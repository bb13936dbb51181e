// What every shader file builds on: the typed `wgsl` tag, float literals, and the uniform struct made from its list.
// The only file that imports wgsl-preprocessor; it knows nothing about any kernel.
import { wgsl as preprocess } from 'wgsl-preprocessor/wgsl-preprocessor.js';

/** A kernel's text and how it is called. Structurally `Kernel` of src/gpu, which this folder must not import. */
export interface Shader {
  readonly label: string;
  readonly code: string;
  readonly access: readonly ('read' | 'write' | 'readWrite')[];
  readonly params: readonly ShaderParam[];
}

export type ShaderParam = readonly [name: string, type: 'u32' | 'i32' | 'f32'];

/**
 * WGSL text with `#if ${condition}`, `#elif ${condition}`, `#else` and `#endif`. A condition must follow its directive
 * at once; values of dead branches are still evaluated; directives inside an interpolated string are not seen, so
 * fragments carry the tag themselves. Floats go through `f32()`: a bare `${1.0}` would print the integer 1.
 * A list of strings becomes as many lines, indented like the place where it stands.
 */
export function wgsl(
  strings: TemplateStringsArray,
  ...values: readonly (string | number | boolean | readonly string[])[]
): string {
  const texts = values.map((value, i) => {
    const indent = / *$/.exec(strings[i]!)![0];
    return typeof value === 'object' ? value.join(`\n${indent}`) : value;
  });
  return preprocess(strings, ...texts);
}

/**
 * A WGSL literal of type f32.
 * @throws RangeError for what f32 cannot hold
 */
export function f32(value: number): string {
  if (!Number.isFinite(Math.fround(value))) throw new RangeError(`${value} is not a finite f32`);
  const literal = `${value}f`;
  return value < 0 ? `(${literal})` : literal;
}

/**
 * `struct Params { ... }` from a shader's list; with `binding` also its declaration as `params`.
 * Empty text for an empty list.
 */
export function paramsStruct(params: readonly ShaderParam[], binding?: number): string {
  if (params.length === 0) return '';
  const struct = `struct Params {\n${params.map(([name, type]) => `  ${name}: ${type},\n`).join('')}}\n`;
  return binding === undefined ? struct : `${struct}@group(0) @binding(${binding}) var<uniform> params: Params;\n`;
}

/** Threads of a workgroup where they have nothing to do with one another: linearMain's and the grid's must agree. */
export const workgroupSize = 64;

/** 0 .. count - 1, to unroll a loop in the text. */
export function counted(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** Of a vec4. */
export const components = ['x', 'y', 'z', 'w'] as const;

/** Of every pair: all of `b` for the first of `a`, then for the next. */
export function cross<A, B, Result>(a: readonly A[], b: readonly B[], of: (a: A, b: B) => Result): Result[] {
  return a.flatMap((x) => b.map((y) => of(x, y)));
}

/**
 * The products of pairs added to `sum` one after the other, as one expression. A software adapter pays for every store to a
 * variable inside a loop: sums take several products a statement.
 */
export function fmas(pairs: readonly (readonly [string, string])[], sum: string): string {
  return pairs.reduce((rest, [a, b]) => `fma(${a}, ${b}, ${rest})`, sum);
}

/** The directives of a module that uses these features; they stand first in it. */
export function enables(features: { readonly f16?: boolean; readonly subgroups?: boolean }): string {
  const f16 = features.f16 ? 'enable f16;\n' : '';
  // Our subgroup calls are uniform within a quad or a row of lanes, which the compiler cannot see.
  return features.subgroups ? `${f16}enable subgroups;\ndiagnostic(off, subgroup_uniformity);\n` : f16;
}

export type StorageBinding = readonly [name: string, access: Shader['access'][number], type: string];

/**
 * The storage arrays of a shader in the order of its arguments, `type` being that of an element, and its uniforms behind
 * them: WGSL declarations, and what `Shader` says of them.
 */
export function shaderInterface(
  bindings: readonly StorageBinding[],
  params: readonly ShaderParam[],
): Pick<Shader, 'access' | 'params'> & { readonly declarations: string } {
  const declared = bindings.map(
    ([name, access, type], i) =>
      `@group(0) @binding(${i}) var<storage, ${access === 'read' ? 'read' : 'read_write'}> ${name}: array<${type}>;\n`,
  );
  const declarations = `${paramsStruct(params, bindings.length)}${declared.join('')}`;
  return { declarations, access: bindings.map(([, access]) => access), params };
}

/**
 * How the entry point of a kernel begins whose workgroups of `size` threads are counted along x, then y (`linearGrid` of
 * src/gpu): `workgroupIndex`, `local` within it, and `thread` over all; the last workgroups may lie past the end.
 */
export function linearMain(size: number): string {
  return `@compute @workgroup_size(${size})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let workgroupIndex = workgroup.y * workgroups.x + workgroup.x;
  let thread = workgroupIndex * ${size}u + local;`;
}
