// Collects what is wrong with parsed JSON, each problem with its path. Not a schema language: model.json is its one user.

export interface NumberRule {
  readonly min?: number;
  readonly max?: number;
  /** Exclusive bounds. */
  readonly above?: number;
  readonly below?: number;
  readonly integer?: boolean;
}

export class Check {
  /** One sentence each; empty while everything fits. */
  readonly problems: string[] = [];

  /** A JSON object; with `required`, also that every one of these keys is there and no others but `optional`. */
  object(
    value: unknown,
    path: string,
    required?: readonly string[],
    optional: readonly string[] = [],
  ): Record<string, unknown> | undefined {
    if (value === undefined && path !== '') return undefined; // reported as missing by the object around it
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.#expect(path, 'an object', value);
      return undefined;
    }
    const object = value as Record<string, unknown>;
    for (const key of required ?? []) {
      if (object[key] === undefined) this.problems.push(`${join(path, key)} is missing`);
    }
    if (required) {
      for (const key of Object.keys(object)) {
        if (required.includes(key) || optional.includes(key)) continue;
        this.problems.push(`${join(path, key)} is not known; known here: ${[...required, ...optional].join(', ')}`);
      }
    }
    return object;
  }

  number(value: unknown, path: string, rule: NumberRule = {}): value is number {
    if (value === undefined) return false;
    const words: string[] = [];
    if (rule.min !== undefined) words.push(`at least ${rule.min}`);
    if (rule.max !== undefined) words.push(`at most ${rule.max}`);
    if (rule.above !== undefined) words.push(`above ${rule.above}`);
    if (rule.below !== undefined) words.push(`below ${rule.below}`);
    const fits =
      typeof value === 'number' &&
      Number.isFinite(value) &&
      (!rule.integer || Number.isSafeInteger(value)) &&
      value >= (rule.min ?? Number.NEGATIVE_INFINITY) &&
      value <= (rule.max ?? Number.POSITIVE_INFINITY) &&
      value > (rule.above ?? Number.NEGATIVE_INFINITY) &&
      value < (rule.below ?? Number.POSITIVE_INFINITY);
    if (!fits)
      this.#expect(path, [rule.integer ? 'an integer' : 'a number', words.join(' and ')].join(' ').trim(), value);
    return fits;
  }

  text(value: unknown, path: string): void {
    if (value === undefined) return;
    if (typeof value !== 'string' || value.trim() === '') this.#expect(path, 'a text that is not empty', value);
  }

  matches(value: unknown, path: string, pattern: RegExp, words: string): void {
    if (value === undefined) return;
    if (typeof value !== 'string' || !pattern.test(value)) this.#expect(path, words, value);
  }

  oneOf(value: unknown, path: string, choices: readonly (string | number | boolean)[]): void {
    if (value === undefined) return;
    if (!choices.includes(value as string | number | boolean)) {
      this.#expect(path, choices.map((choice) => JSON.stringify(choice)).join(' or '), value);
    }
  }

  list(value: unknown, path: string, atLeast: number, item: (value: unknown, path: string) => void): void {
    if (value === undefined) return;
    if (!Array.isArray(value) || value.length < atLeast) {
      this.#expect(path, `a list of at least ${atLeast}`, value);
      return;
    }
    for (const [i, element] of value.entries()) item(element, `${path}[${i}]`);
  }

  length(value: unknown, path: string, length: number, why: string): void {
    if (!Array.isArray(value) || value.length === length) return;
    this.problems.push(`${path} must have ${length} items (${why}), but it has ${value.length}`);
  }

  #expect(path: string, expected: string, found: unknown): void {
    const text = found === undefined ? 'missing' : JSON.stringify(found);
    const short = text.length > 80 ? `${text.slice(0, 77)}...` : text;
    this.problems.push(`${path === '' ? 'the file' : path} must be ${expected}, but it is ${short}`);
  }
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
