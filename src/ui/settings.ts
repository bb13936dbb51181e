// What is kept between visits: the form as typed, the seed's lock, the start picture, and how fast this machine was. In localStorage, which
// may be full, forbidden or tampered with: every read is checked and no failure reaches the visitor.
import type { StartPicture } from '../media/picture';
import { defaults, fields, type RawOptions, toRaw } from '../options';

const settingsKey = 'flipbook:settings';
const paceKey = 'flipbook:pace';
const pictureKey = 'flipbook:picture';

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

/** The start picture of the last visit, if it is one of `side` pixels. */
export function loadPicture(side: number): StartPicture | undefined {
  const { name, sha256, pixels } = read(pictureKey);
  if (typeof name !== 'string' || typeof pixels !== 'string') return undefined;
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) return undefined;
  try {
    const data = Uint8ClampedArray.from(atob(pixels), (character) => character.charCodeAt(0));
    if (data.length !== side * side * 4) return undefined;
    return { name: name.slice(0, 100), sha256, pixels: { width: side, height: side, data } };
  } catch {
    return undefined; // Not base64.
  }
}

/** Pixels, not a file: what is encoded after a reload is the same to the last bit. */
export function savePicture(picture: StartPicture | undefined): void {
  if (!picture) {
    remove(pictureKey);
    return;
  }
  const characters = Array.from(picture.pixels.data, (byte) => String.fromCharCode(byte));
  write(pictureKey, { name: picture.name, sha256: picture.sha256, pixels: btoa(characters.join('')) });
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
  for (const key of [settingsKey, paceKey, pictureKey]) remove(key);
}

function remove(key: string): void {
  try {
    localStorage.removeItem(key);
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
