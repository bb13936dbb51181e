// Which variant of a kernel is used on which shape: the default, or the one that was measured as the fastest on this
// adapter and remembered in the browser, which also remembers adapters that refuse kernels with optional features. It measures
// nothing (src/ops/tune.ts) and knows no kernel.
import { messageOf } from './errors';
import type { Plan } from './plan';
import type { Tensor } from './tensor';

/** Raised when kernels or their lists of variants change: what was measured before is then forgotten. */
export const kernelVersion = 3;

/** One kernel on one shape, as a plan asked for it. */
export interface Problem {
  readonly key: string;
  /** Of all calls that were seen. */
  flops: number;
  /** Names; the first is the default. */
  readonly variants: readonly string[];
  /** Records it by itself, with inputs of its own. */
  readonly record: (plan: Plan, variant: number) => Tensor;
}

/** How to repeat a call with another variant, and what it costs. */
export interface Repeatable<Variant> {
  readonly flops: number;
  readonly record: (plan: Plan, variant: Variant) => Tensor;
}

export class Choices {
  readonly #remembered: Readonly<Record<string, string>>;
  #seen: Map<string, Problem> | undefined;

  /** @param remembered names of variants by problem */
  constructor(remembered: Readonly<Record<string, string>> = {}) {
    this.#remembered = remembered;
  }

  /** The name of the variant that was measured as the fastest for a problem. */
  remembered(key: string): string | undefined {
    return this.#remembered[key];
  }

  get size(): number {
    return Object.keys(this.#remembered).length;
  }

  /** The remembered variant where it is one of these, else the first. */
  pick<Variant extends object>(
    key: string,
    variants: readonly Variant[],
    { flops, record }: Repeatable<Variant>,
  ): Variant {
    const seen = this.#seen?.get(key);
    if (seen) seen.flops += flops;
    else {
      this.#seen?.set(key, {
        key,
        flops,
        variants: variants.map(nameOf),
        record: (plan, variant) => record(plan, variants[variant]!),
      });
    }
    const name = this.remembered(key);
    return variants.find((variant) => nameOf(variant) === name) ?? variants[0]!;
  }

  /** What plans ask for while `build` runs. */
  problemsOf(build: () => void): Problem[] {
    const seen = new Map<string, Problem>();
    this.#seen = seen;
    try {
      build();
    } finally {
      this.#seen = undefined;
    }
    return [...seen.values()];
  }
}

function nameOf(variant: object): string {
  return JSON.stringify(variant);
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

/**
 * What an adapter's refusal of kernels with optional features is remembered for: these kernels in this browser, of which every
 * version has another compiler.
 */
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

interface Remembered {
  readonly version: number;
  readonly adapter: string;
  /** Names of variants by problem. */
  readonly variants: Readonly<Record<string, string>>;
}
