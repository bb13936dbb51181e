// Compiles every exported shader over its whole option grid and reports what the compiler says.
// It says nothing about results: the family's own tests do.
import { describe, expect, test } from 'vitest';
import { testGpu } from '../gpu';
import type { ShaderFamily } from './grid';

const shaderFiles = import.meta.glob<Record<string, unknown>>('../../shaders/*.wgsl.ts', { eager: true });
const gridFiles = import.meta.glob<{ family: ShaderFamily }>('./grids/*.ts', { eager: true });

const baseName = (path: string) => path.replace(/^.*\/|(\.wgsl)?\.ts$/g, '');
const families = new Map(Object.entries(gridFiles).map(([path, { family }]) => [baseName(path), family]));

/** On an adapter without `shader-f16` the f16 variants are checked with f32 in its place: all but the type's width. */
function withoutF16(code: string): string {
  if (!/\benable f16;/.test(code)) return code;
  const aliases = ['alias f16 = f32;', ...[2, 3, 4].map((n) => `alias vec${n}h = vec${n}f;`)].join(' ');
  return code
    .replace(/\benable f16;/, '')
    .replace(/(\d)h\b/g, '$1f')
    .concat(aliases);
}

describe.for(Object.keys(shaderFiles).map(baseName))('%s', (name) => {
  test('every exported function is in the grid', () => {
    const family = families.get(name);
    const known = new Set<unknown>([...(family?.grids.map(({ make }) => make) ?? []), ...(family?.parts ?? [])]);
    const file = Object.entries(shaderFiles).find(([path]) => baseName(path) === name)![1];
    const missing = Object.entries(file).filter(([, value]) => typeof value === 'function' && !known.has(value));
    expect(missing.map(([exported]) => `${exported} is not in test/kernels/grids/${name}.ts`)).toEqual([]);
  });

  for (const { make, shaders } of families.get(name)?.grids ?? []) {
    test(`${make.name}: ${shaders.length} variants compile`, async () => {
      const gpu = await testGpu();
      expect(shaders.length).toBeGreaterThan(0);
      const failures: string[] = [];
      await Promise.all(
        shaders.map(async (shader) => {
          if (shader.label === '') failures.push('a variant has no label');
          const code = gpu.features.f16 ? shader.code : withoutF16(shader.code);
          const module = gpu.device.createShaderModule({ label: shader.label, code });
          const { messages } = await module.getCompilationInfo();
          for (const { type, message, lineNum, linePos } of messages) {
            if (type === 'warning') failures.push(`${shader.label} ${lineNum}:${linePos} warning: ${message}`);
          }
          await gpu.pipeline({ ...shader, code }).catch((error: Error) => failures.push(error.message));
        }),
      );
      expect(failures).toEqual([]);
    });
  }
});
