export function pageHeaders(options?: { dev?: boolean; wasm?: boolean }): Record<string, string>;
export function forBench(path: string): boolean;
