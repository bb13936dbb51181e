// The form: each control's text as typed, what is wrong with it, and settings that come from memory, links and files.
// It makes no clip, and has no markup.
import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import {
  clamp,
  decodeLink,
  encodeLink,
  type Field,
  fields,
  limits,
  type RawOptions,
  type Restored,
  usualMotion,
} from '../options';
import { type FieldErrors, parseDecimal, type Validated, validate } from '../validate';
import { loadSettings, type Settings } from './settings';
import { nameOf, type StartPictureState } from './start-picture';

/** What the page's controls need of it. */
export interface Controls {
  /** Each control's text as typed. */
  readonly form: Record<Field, Signal<string>>;
  readonly seedLocked: Signal<boolean>;
  /** What is wrong with the form now; `visibleErrors` is what to show of it. */
  readonly errors: ReadonlySignal<FieldErrors>;
  readonly visibleErrors: ReadonlySignal<FieldErrors>;
  edit(field: Field, text: string): void;
  /** A control was left: its message may show. */
  leave(field: Field): void;
  rollSeed(): void;
  /** The address that brings the form back, and names its start picture, be it here or missing; nothing while the form is wrong. */
  link(): string | undefined;
}

export interface Form extends Controls {
  /** What the last visit left, which a link may have taken the place of. */
  readonly stored: Settings;
  /** The page was opened by a link that says just that: it was copied from here. */
  readonly isCopy: boolean;
  /** What a reload should bring back. */
  readonly settings: ReadonlySignal<Settings>;
  /** All that was put in, the start picture included, to compare. A seed that is not locked is nobody's choice. */
  readonly said: ReadonlySignal<string>;
  readonly valid: ReadonlySignal<Validated>;
  /** Every message may show. @returns the first wrong field */
  showAll(): Field | undefined;
  /** Settings from elsewhere, as they are: their messages may show. */
  fill(given: Restored): void;
}

const pictureIsMissing =
  'These settings start from a picture that is not here. Add it, or say in the prompt what should be on all pages.';

/** Settings from elsewhere that do not say these mean nothing by it: what is here must not join in. */
const without = { motion: '', redraw: '' } as const satisfies Restored;

/** @param link what the address says, which may be nothing @param start the picture that goes with the form */
export function createForm(link: Restored, start: Pick<StartPictureState, 'picture' | 'missing' | 'stored'>): Form {
  const stored = loadSettings();
  const initial: RawOptions = { ...stored.form, ...(Object.keys(link).length > 0 && without), ...link };
  const form = Object.fromEntries(fields.map((field) => [field, signal(initial[field])])) as Controls['form'];
  const raw = computed(() => Object.fromEntries(fields.map((field) => [field, form[field].value])) as RawOptions);
  // A box without its picture waits for it.
  const validWith = (picture: string | undefined, given = raw.value) =>
    validate({ ...given, redraw: picture && given.redraw, picture });
  const here = validWith(nameOf(start.stored), stored.form);
  const isCopy = here.ok && JSON.stringify(decodeLink(encodeLink(here.options))) === JSON.stringify(link);
  const seedLocked = signal(stored.seedLocked || (link.seed !== undefined && !isCopy));
  const valid = computed(() => {
    const given = validWith(start.picture.value?.sha256);
    if (given.ok || !given.errors.prompt || !start.missing.value) return given;
    if (!validWith(start.missing.value).ok) return given;
    return { ...given, errors: { ...given.errors, prompt: pictureIsMissing } };
  });
  const errors = computed<FieldErrors>(() => (valid.value.ok ? {} : valid.value.errors));
  const named = (given: Restored) => fields.filter((field) => given[field] !== undefined);
  /** Fields whose message may show: left once, or asked for by Generate. What came with a link shows at once. */
  const shown = signal<ReadonlySet<Field>>(new Set(named(link)));
  const visibleErrors = computed(
    () =>
      Object.fromEntries(
        Object.entries(errors.value).filter(([field]) => shown.value.has(field as Field)),
      ) as FieldErrors,
  );

  return {
    stored,
    isCopy,
    form,
    seedLocked,
    errors,
    visibleErrors,
    settings: computed(() => ({ form: raw.value, seedLocked: seedLocked.value })),
    said: computed(() => {
      const { picture, missing } = start;
      const seed = seedLocked.value && raw.value.seed;
      return JSON.stringify([{ ...raw.value, seed }, picture.value?.sha256, missing.value]);
    }),
    valid,
    edit(field, text) {
      form[field].value = text;
      // A seed typed by hand is one that somebody wants to keep.
      if (field === 'seed') seedLocked.value = true;
    },
    leave(field) {
      shown.value = new Set(shown.value).add(field);
    },
    showAll() {
      shown.value = new Set(fields);
      return fields.find((field) => errors.value[field]);
    },
    rollSeed() {
      // 32 bits are plenty of clips, and short enough to read out.
      form.seed.value = String(crypto.getRandomValues(new Uint32Array(1))[0]);
    },
    fill(given) {
      batch(() => {
        for (const [field, text] of Object.entries({ ...without, ...given })) {
          if (field in form) form[field as Field].value = text;
        }
        if (given.seed !== undefined) seedLocked.value = true;
        shown.value = new Set([...shown.value, ...named(given)]);
      });
    },
    link() {
      const named = validWith(nameOf({ picture: start.picture.value, missing: start.missing.value }));
      const given = named.ok ? named : valid.value; // What would not go with the missing picture goes without it.
      return given.ok ? new URL(encodeLink(given.options), location.href).href : undefined;
    },
  };
}

export type NumericField = 'steps' | 'guidance' | 'frames' | 'motion';

/** The useful part of what may be typed, for a slider; its step is that of the arrow keys, too. */
export const reach: Readonly<
  Record<NumericField, { readonly min: number; readonly max: number; readonly step: number }>
> = {
  steps: { min: 1, max: 50, step: 1 },
  frames: { min: limits.frames.min, max: 72, step: limits.frames.multiple },
  guidance: { min: 1, max: 10, step: 0.5 },
  motion: { min: 0, max: 3, step: 0.25 },
};

/** For a control's slider or arrow keys: the next value up or down, within limits and on its grid. */
export function stepped(text: string, by: number, field: NumericField): string {
  const { min, max } = limits[field];
  const grid = reach[field].step;
  const value = field === 'motion' && text.trim() === '' ? usualMotion : parseDecimal(text);
  const from = Number.isFinite(value) ? value : min;
  const next = by > 0 ? Math.floor(from / grid + by + 1e-9) : Math.ceil(from / grid + by - 1e-9);
  return String(clamp(next * grid, min, max));
}
