// Which adapters are a CPU behind the API: their kernels and the page's words differ.
import { expect, test } from 'vitest';
import { isSoftwareAdapter } from '../../src/gpu/software';

const nothing = { vendor: '', architecture: '', device: '', description: '', isFallbackAdapter: false };

test.each<[string, Partial<GPUAdapterInfo>, boolean]>([
  ['SwiftShader', { vendor: 'google', architecture: 'swiftshader' }, true],
  ['lavapipe', { vendor: 'mesa', description: 'llvmpipe (LLVM 19.1.7, 256 bits)' }, true],
  ['WARP, as Chrome names it', { vendor: 'microsoft', architecture: 'warp' }, true],
  ['WARP, as its driver does', { description: 'Microsoft Basic Render Driver' }, true],
  ['what the browser calls a fallback', { isFallbackAdapter: true }, true],
  ['a GPU', { vendor: 'nvidia', architecture: 'ampere' }, false],
  ["another adapter of Microsoft's", { vendor: 'microsoft', architecture: 'gen-1' }, false],
  ['one that says nothing', {}, false],
])('%s', (_name, info, expected) => {
  expect(isSoftwareAdapter({ ...nothing, ...info } as GPUAdapterInfo)).toBe(expected);
});
