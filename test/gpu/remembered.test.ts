// What is remembered for whom, refusals too, where storage works and where it does not. No browser: a store in memory.
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  adapterId,
  kernelVersion,
  recallChoices,
  recallRefusal,
  rememberChoices,
  rememberRefusal,
  type TextStore,
} from '../../src/gpu/remembered';
import { memory } from './text-store';

const variant = '{"rows":2}';
const answers = { a: variant };
const variantOf = async (adapter: string, store: TextStore) => (await recallChoices(adapter, store)).remembered('a');

describe('what is remembered', () => {
  const stored = (change: object) =>
    JSON.stringify({ version: kernelVersion, adapter: 'gpu', variants: answers, ...change });

  test.for([
    ['for another adapter', stored({ adapter: 'another' })],
    ['for other kernels', stored({ version: kernelVersion - 1 })],
    ['without variants', JSON.stringify({ version: kernelVersion, adapter: 'gpu' })],
    ['as no object', 'null'],
    ['as no JSON', '{'],
  ])('an answer %s is not used', async ([, text]) => {
    expect(await variantOf('gpu', memory({ gpu: text! }))).toBeUndefined();
    expect(await variantOf('gpu', memory({ gpu: stored({}) }))).toBe(variant);
  });

  test('each adapter has its own', async () => {
    const store = memory();
    await rememberChoices('one', answers, store);
    await rememberChoices('two', {}, store);
    expect(await variantOf('one', store)).toBe(variant);
    expect(await variantOf('two', store)).toBeUndefined();
    expect(await variantOf('three', store)).toBeUndefined();
  });

  test('storage that refuses leaves the defaults', async () => {
    const refuse = () => Promise.reject(new Error('no storage'));
    expect(await rememberChoices('gpu', answers, { get: refuse, put: refuse })).toBe(false);
    expect(await variantOf('gpu', { get: refuse, put: refuse })).toBeUndefined();
  });

  test('adapters are told apart by name and features', () => {
    const info = { vendor: 'v', architecture: 'a', device: '', description: '' } as GPUAdapterInfo;
    const plain = adapterId(info, { f16: false, subgroups: true });
    expect(plain).not.toBe(adapterId({ ...info, architecture: 'b' }, { f16: false, subgroups: true }));
    expect(plain).not.toBe(adapterId(info, { f16: true, subgroups: true }));
    expect(plain).toBe(adapterId({ ...info }, { subgroups: true, f16: false }));
  });
});

describe('a driver that refused kernels with optional features', () => {
  afterEach(() => void vi.unstubAllGlobals());
  const browser = (userAgent: string) => vi.stubGlobal('navigator', { userAgent });

  test('is remembered for its adapter, beside what was tuned', async () => {
    const store = memory();
    await rememberChoices('gpu', answers, store);
    expect(await recallRefusal('gpu', store)).toBe(false);
    await rememberRefusal('gpu', store);
    expect(await recallRefusal('gpu', store)).toBe(true);
    expect(await recallRefusal('another', store)).toBe(false);
    expect(await variantOf('gpu', store)).toBe(variant);
  });

  test('gets them again in another version of the browser', async () => {
    const store = memory();
    browser('Browser/1');
    await rememberRefusal('gpu', store);
    expect(await recallRefusal('gpu', store)).toBe(true);
    browser('Browser/2');
    expect(await recallRefusal('gpu', store)).toBe(false);
  });

  test('storage that refuses costs nothing but the memory', async () => {
    const refuse = () => Promise.reject(new Error('no storage'));
    await rememberRefusal('gpu', { get: refuse, put: refuse });
    expect(await recallRefusal('gpu', { get: refuse, put: refuse })).toBe(false);
  });
});
