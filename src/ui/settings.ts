// What is kept between visits: the form as typed, the seed's lock, and how fast this machine was. In localStorage, which
// may be full, forbidden or tampered with: every read is checked and no failure reaches the visitor.
import { defaults, fields, type RawOptions, toRaw } from '../options';

const settingsKey = 'flipbook:settings';
const paceKey = 'flipbook:pace';

export interface Settings {
  readonly form: RawOptions;
  readonly seedLocked: boolean;
}

export function loadSettings(): Settings {
  const stored = read(settingsKey);
  const form = toRaw(defaults);
  for (const field of fields) {
    const value = stored[field];
    if (typeof value === 'string') form[field] = value.slice(0, 20_000);
  }
  return { form, seedLocked: stored.seedLocked === true };
}

export function saveSettings({ form, seedLocked }: Settings): void {
  write(settingsKey, { ...form, seedLocked });
}

/** Seconds that the last clip took here, per unit of work (see estimate.ts), keyed by adapter name. */
export function loadPace(adapter: string): number | undefined {
  const pace = read(paceKey)[adapter];
  return typeof pace === 'number' && Number.isFinite(pace) && pace > 0 ? pace : undefined;
}

export function savePace(adapter: string, pace: number): void {
  write(paceKey, { ...read(paceKey), [adapter]: pace });
}

/**
 * Whether the browser has promised not to clear what this page stores.
 * @param ask asks for that promise, once there is something worth keeping: some browsers ask the visitor
 */
export async function keepStorage(ask: boolean): Promise<boolean> {
  const { storage } = navigator;
  try {
    return (await storage.persisted()) || (ask && (await storage.persist()));
  } catch {
    return false; // An old browser or an insecure page.
  }
}

export function forgetSettings(): void {
  try {
    localStorage.removeItem(settingsKey);
    localStorage.removeItem(paceKey);
  } catch {
    // Storage is forbidden here, so nothing was stored.
  }
}

function read(key: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? '{}');
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function write(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Full or forbidden: the page works without memory.
  }
}
