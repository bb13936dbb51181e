export interface Browser {
  readonly executablePath: string;
  readonly args: string[];
  readonly env: Record<string, string>;
  /** Where it was found, in words. */
  readonly source: string;
}
export function browser(): Promise<Browser>;
