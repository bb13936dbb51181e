// A text store in memory, in place of the browser's.
import type { TextStore } from '../../src/gpu/remembered';

export function memory(entries: Record<string, string> = {}): TextStore {
  const texts = new Map(Object.entries(entries));
  return {
    get: async (name: string) => texts.get(name),
    put: async (name: string, text: string) => void texts.set(name, text),
  };
}
