// Which variant of a kernel is used on which shape: the default, or the one that was measured as the fastest on this adapter.
// It measures nothing (src/ops/tune.ts), remembers nothing (remembered.ts) and knows no kernel.
import type { Plan } from './plan';
import type { Tensor } from './tensor';

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
