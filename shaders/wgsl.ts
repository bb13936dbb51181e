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
 */
export function wgsl(strings: TemplateStringsArray, ...values: readonly (string | number | boolean)[]): string {
  return preprocess(strings, ...values);
}

/** A WGSL literal of type f32. Throws for what f32 cannot hold. */
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
