// What is kept between visits: the form as typed, the seed's lock, the start picture, and how fast this machine was; and between
// reloads, what is on the drawing pad. In the browser's storage, which may be full, forbidden or tampered with: every read is
// checked, no failed write reaches the visitor.
import type { StartPicture } from '../media/picture';
import { defaults, fields, type RawOptions, sha256Hex, toRaw } from '../options';

const settingsKey = 'flipbook:settings';
const paceKey = 'flipbook:pace';
const pictureKey = 'flipbook:picture';
const usedSeedKey = 'flipbook:used-seed';
const strokesKey = 'flipbook:strokes';

export interface Settings {
  readonly form: RawOptions;
  readonly seedLocked: boolean;
}

export function loadSettings(): Settings {
  const stored = read(settingsKey, own());
  const form = toRaw(defaults);
  for (const field of fields) {
    const value = stored[field];
    if (typeof value === 'string') form[field] = value.slice(0, 20_000);
  }
  return { form, seedLocked: stored.seedLocked === true };
}

/** @param places where: in this tab alone, where nothing was changed yet */
export function saveSettings({ form, seedLocked }: Settings, places: Places): void {
  // What was never changed follows the defaults of later versions.
  const usual = toRaw(defaults);
  const changed = Object.fromEntries(
    fields.filter((field) => form[field] !== usual[field]).map((field) => [field, form[field]]),
  );
  write(settingsKey, { ...changed, seedLocked }, ...places);
}

/** A start picture, with its file where that was made on this page: then it may be nowhere else. */
export interface GivenPicture extends StartPicture {
  readonly file?: Uint8Array<ArrayBuffer>;
}

/** A start picture, or only the SHA-256 of one that settings name while it is not here; at most one of the two. */
export interface NamedPicture {
  readonly picture: GivenPicture | undefined;
  readonly missing: string;
}

const none: NamedPicture = { picture: undefined, missing: '' };

/** The start picture of the last visit, if it is one of `side` pixels. */
export function loadPicture(side: number): NamedPicture {
  const { name, sha256, pixels, file } = read(pictureKey, own());
  if (typeof sha256 !== 'string' || !sha256Hex.test(sha256)) return none;
  if (pixels === undefined) return { ...none, missing: sha256 };
  const data = fromBase64(pixels);
  if (typeof name !== 'string' || data?.length !== side * side * 4) return none;
  const given = fromBase64(file);
  const picture = {
    name: name.slice(0, 100),
    sha256,
    pixels: { width: side, height: side, data: new Uint8ClampedArray(data) },
    ...(given && { file: given }),
  };
  return { ...none, picture };
}

/** Pixels beside the file, or without one: what is encoded after a reload is the same to the last bit. */
export function savePicture({ picture, missing }: NamedPicture, places: Places): void {
  if (picture) {
    const { name, sha256, pixels, file } = picture;
    write(
      pictureKey,
      { name, sha256, pixels: toBase64(pixels.data), ...(file && { file: toBase64(file) }) },
      ...places,
    );
  } else if (missing) write(pictureKey, { sha256: missing }, ...places);
  else remove(pictureKey, ...places);
}

/** The seed that the last clip used: unlocked, the next one uses another. */
export function loadUsedSeed(): string | undefined {
  const { seed } = read(usedSeedKey, own(usedSeedKey)); // A tab that made no clip has the form of one that did.
  return typeof seed === 'string' ? seed : undefined;
}

export function saveUsedSeed(seed: string | undefined): void {
  write(usedSeedKey, { seed }, ...everywhere);
}

/** Seconds that the last clip took here, per unit of work (see estimate.ts), keyed by adapter name. */
export function loadPace(adapter: string): number | undefined {
  const pace = read(paceKey, browser)[adapter];
  return typeof pace === 'number' && Number.isFinite(pace) && pace > 0 ? pace : undefined;
}

export function savePace(adapter: string, pace: number): void {
  write(paceKey, { ...read(paceKey, browser), [adapter]: pace }, browser);
}

/** Strokes of a drawing that is not used yet: for reloads of this tab. Unchecked. */
export function loadStrokes(): unknown {
  return read(strokesKey, tab).strokes;
}

export function saveStrokes(strokes: readonly unknown[]): void {
  if (strokes.length > 0) write(strokesKey, { strokes }, tab);
  else remove(strokesKey, tab);
}

/** Who says no is not asked after every clip. */
let wasAsked = false;

/**
 * Whether the browser has promised not to clear what this page stores.
 * @param ask asks for that promise, once a visit, when there is something worth keeping: some browsers ask the visitor
 */
export async function keepStorage(ask: boolean): Promise<boolean> {
  const { storage } = navigator;
  try {
    if (await storage.persisted()) return true;
    if (!ask || wasAsked) return false;
    wasAsked = true;
    return await storage.persist();
  } catch {
    return false; // An old browser or an insecure page.
  }
}

/** Removes everything that Flipbook stores on this machine: clips, weights of any version, tuning, and the page itself. */
export async function clearStorage(): Promise<void> {
  for (const place of everywhere) {
    const keys = quietly(() => Object.keys(place())) ?? [];
    for (const key of keys) if (key.startsWith('flipbook:')) remove(key, place);
  }
  if (typeof caches === 'undefined') return;
  // First, lest it fills its cache again; the next visit keeps the page anew.
  const registration = await navigator.serviceWorker?.getRegistration().catch(() => undefined);
  await registration?.unregister();
  for (const name of await caches.keys()) if (name.startsWith('flipbook-')) await caches.delete(name);
}

type Place = () => Storage;
/** What a tab keeps for its own reloads: two tabs do not overwrite each other's work. */
const tab: Place = () => sessionStorage;
/** What a new tab begins with: that of the tab in which something was changed last. */
const browser: Place = () => localStorage;

export type Places = readonly Place[];
export const thisTab: Places = [tab];
export const everywhere: Places = [tab, browser];

/** Where this tab has `key` from: itself, if there is anything. */
function own(key = settingsKey): Place {
  return quietly(() => tab().getItem(key)) ? tab : browser;
}

function read(key: string, place: Place): Record<string, unknown> {
  const value: unknown = quietly(() => JSON.parse(place().getItem(key) ?? '{}'));
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function write(key: string, value: unknown, ...places: Places): void {
  const text = JSON.stringify(value);
  for (const place of places) {
    try {
      place().setItem(key, text);
    } catch {
      remove(key, place); // What is there from before must not come back in its stead.
    }
  }
}

function remove(key: string, ...places: Places): void {
  for (const place of places) quietly(() => place().removeItem(key));
}

/** Of each picture once: it is stored again with every letter that is typed. */
const base64 = new WeakMap<Uint8Array | Uint8ClampedArray, string>();

function toBase64(bytes: Uint8Array | Uint8ClampedArray): string {
  const text = base64.get(bytes) ?? btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  base64.set(bytes, text);
  return text;
}

/** Undefined for what is none. */
function fromBase64(text: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (typeof text !== 'string') return undefined;
  return quietly(() => Uint8Array.from(atob(text), (character) => character.charCodeAt(0)));
}

/** Storage may be full or forbidden: the page works without memory. */
function quietly<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
