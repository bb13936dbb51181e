// What this browser keeps about adapters from one visit to the next: the variants of kernels that were measured as the fastest,
// and that an adapter refused kernels with optional features. Which variant is used is choices.ts's.
import { Choices } from './choices';
import { messageOf } from './errors';

/** Raised when kernels or their lists of variants change: what was measured before is then forgotten. */
export const kernelVersion = 3;

interface Remembered {
  readonly version: number;
  readonly adapter: string;
  /** Names of variants by problem. */
  readonly variants: Readonly<Record<string, string>>;
}

/** Texts by name. Every method may fail, as browsers may. */
export interface TextStore {
  get(name: string): Promise<string | undefined>;
  put(name: string, text: string): Promise<void>;
}

/** The Cache API, which pages and workers of one origin share; `undefined` where there is none. */
async function openTextStore(): Promise<TextStore | undefined> {
  if (typeof caches === 'undefined') return undefined;
  const cache = await caches.open('flipbook-tuning');
  const address = (name: string) => new URL(`/flipbook-tuning?${new URLSearchParams({ name })}`, self.location.origin);
  return {
    get: async (name) => (await cache.match(address(name)))?.text(),
    put: (name, text) => cache.put(address(name), new Response(text)),
  };
}

/** What an adapter is told apart by: browsers hide the exact name of most. */
export function adapterId(info: GPUAdapterInfo, features: Readonly<Record<string, boolean>>): string {
  const names = [info.vendor, info.architecture, info.device, info.description];
  const has = Object.keys(features).filter((name) => features[name]);
  return [...names, ...has.sort()].join('|');
}

/** What was remembered for this adapter and these kernels; nothing where that fails or is anything else. */
export async function recallChoices(adapter: string, store?: TextStore): Promise<Choices> {
  try {
    const text = await (store ?? (await openTextStore()))?.get(adapter);
    const found = text === undefined ? undefined : (JSON.parse(text) as Partial<Remembered> | null);
    if (found?.version === kernelVersion && found.adapter === adapter && found.variants) {
      return new Choices(found.variants);
    }
  } catch (error) {
    console.info(`What was tuned before cannot be read: ${messageOf(error)}`);
  }
  return new Choices();
}

/** @returns whether it will be there at the next visit */
export async function rememberChoices(
  adapter: string,
  variants: Readonly<Record<string, string>>,
  store?: TextStore,
): Promise<boolean> {
  try {
    const kept = store ?? (await openTextStore());
    await kept?.put(adapter, JSON.stringify({ version: kernelVersion, adapter, variants } satisfies Remembered));
    return kept !== undefined;
  } catch {
    return false; // Storage may be full or forbidden: the defaults stay.
  }
}

/** Key of a remembered refusal: these kernels in this browser version, since each version ships another shader compiler. */
const refusedBy = () => `${kernelVersion} ${globalThis.navigator?.userAgent}`;
const refusalOf = (adapter: string) => `refused|${adapter}`;

/** Whether this adapter was seen to refuse them. */
export async function recallRefusal(adapter: string, store?: TextStore): Promise<boolean> {
  try {
    const text = await (store ?? (await openTextStore()))?.get(refusalOf(adapter));
    return text === refusedBy();
  } catch {
    return false; // It is seen again.
  }
}

/** For an adapter whose kernels were taken without them only: later visits with this version of the browser do not try them. */
export async function rememberRefusal(adapter: string, store?: TextStore): Promise<void> {
  try {
    await (store ?? (await openTextStore()))?.put(refusalOf(adapter), refusedBy());
  } catch {
    // Storage may be full or forbidden: each visit sees it again.
  }
}
