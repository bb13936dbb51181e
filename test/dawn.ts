// Gives Node a `navigator.gpu`: Dawn on whichever Vulkan driver VK_ICD_FILENAMES names. For vitest.variants.config.ts, where
// an adapter has features that the browser's software one lacks. Not for the tests in the browser.
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
Object.defineProperty(globalThis, 'navigator', { value: { gpu: create([]) }, configurable: true });
