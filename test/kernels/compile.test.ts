// Compiles every exported shader over its whole option grid and reports what the compiler says; without subgroups, as in Firefox,
// all but those that ask for them. It says nothing about results: the family's own tests do.
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

/** Errors and warnings of the compiler. */
async function messagesOf(shaders: readonly { label: string; code: string }[]): Promise<string[]> {
  const { device, features } = await testGpu();
  const perShader = shaders.map(async (shader) => {
    const code = features.f16 ? shader.code : withoutF16(shader.code);
    const { messages } = await device.createShaderModule({ label: shader.label, code }).getCompilationInfo();
    return messages
      .filter(({ type }) => type !== 'info')
      .map(({ type, message, lineNum, linePos }) => `${shader.label} ${lineNum}:${linePos} ${type}: ${message}`);
  });
  return (await Promise.all(perShader)).flat();
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
      const possible = shaders.filter(({ code }) => gpu.features.subgroups || !/\benable subgroups;/.test(code));
      expect(possible.length).toBeGreaterThan(0);
      const failures = await messagesOf(possible);
      // Building a whole pipeline is slow in software: one for each way to bind is enough to check the bindings.
      const layouts = new Map(possible.map((shader) => [`${shader.access} ${shader.params.length}`, shader]));
      for (const shader of layouts.values()) {
        const code = gpu.features.f16 ? shader.code : withoutF16(shader.code);
        await gpu.pipeline({ ...shader, code }).catch((error: Error) => failures.push(error.message));
      }
      expect(failures).toEqual([]);
    });
  }

  const modules = families.get(name)?.modules;
  if (modules) {
    test(`${modules.length} modules compile`, async () => {
      expect(await messagesOf(modules.map((code, i) => ({ label: `${name} ${i}`, code })))).toEqual([]);
    });
  }
});
