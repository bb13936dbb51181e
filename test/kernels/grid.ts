// Option grids: which variants of each shader function exist. compile.test.ts compiles all of them.
// A file test/kernels/grids/<name>.ts stands beside each shaders/<name>.wgsl.ts.
import type { Shader } from '../../shaders/wgsl';

type Make = (...args: never[]) => Shader;

export interface ShaderGrid {
  readonly make: Make;
  readonly shaders: readonly Shader[];
}

/** What a grid file exports, as `family`. */
export interface ShaderFamily {
  readonly grids: readonly ShaderGrid[];
  /** Whole modules that are not compute kernels. */
  readonly modules?: readonly string[];
  /** Exported functions that make no Shader: parts of shaders, modules, or numbers about them. */
  readonly parts?: readonly ((...args: never[]) => unknown)[];
}

/**
 * Every combination of the listed option values.
 * @param allowed leaves out combinations that the function documents as impossible
 */
export function grid<Options extends object>(
  make: (options: Options) => Shader,
  values: { readonly [Name in keyof Options]-?: readonly Options[Name][] },
  allowed: (options: Options) => boolean = () => true,
): ShaderGrid {
  let combinations: Partial<Options>[] = [{}];
  for (const name of Object.keys(values) as (keyof Options)[]) {
    combinations = combinations.flatMap((options) => values[name].map((value) => ({ ...options, [name]: value })));
  }
  return { make, shaders: (combinations as Options[]).filter(allowed).map((options) => make(options)) };
}

/** A function without options, or one whose argument is a plain choice. */
export function each<Args extends readonly unknown[]>(
  make: (...args: Args) => Shader,
  calls: readonly Args[],
): ShaderGrid {
  return { make: make as unknown as Make, shaders: calls.map((args) => make(...args)) };
}
