// The form's controls: label, input, a line that explains it, and its message. Each shows a signal of the session.
import type { ComponentChildren } from 'preact';
import { clamp, type Field, framesPerSecond, limits, promptTokens, type SamplerName, samplers } from '../options';
import { scenesOf } from '../scenes';
import { parseDecimal, readColor } from '../validate';
import { type NumericField, reach, stepped } from './form';
import { DiceIcon, LockIcon } from './icons';
import { isComposing } from './keys';
import { afterPress } from './press';
import type { Session } from './session';

interface ControlProps {
  readonly session: Session;
  readonly field: Field;
  readonly label: string;
  readonly help: ComponentChildren;
  readonly class?: string;
  readonly children: (attributes: ControlAttributes) => ComponentChildren;
}

/** The prompt form's id. */
export const promptForm = 'prompt-form';

interface ControlAttributes {
  readonly id: string;
  readonly name: string;
  /** The settings stand beside the form; Enter in them generates, too. */
  readonly form: typeof promptForm;
  readonly 'aria-invalid': boolean;
  readonly 'aria-describedby': string;
  readonly onBlur: () => void;
}

export function Control({ session, field, label, help, class: name = '', children }: ControlProps) {
  const error = session.visibleErrors.value[field];
  return (
    <div class={`control ${name} ${error ? 'wrong' : ''}`}>
      <label for={field}>{label}</label>
      {children({
        id: field,
        name: field,
        form: promptForm,
        'aria-invalid': error !== undefined,
        'aria-describedby': error ? `${field}-error ${field}-help` : `${field}-help`,
        onBlur: () => afterPress(() => session.leave(field)),
      })}
      {error && (
        <p class="error" id={`${field}-error`}>
          {error}
        </p>
      )}
      <p class="help" id={`${field}-help`}>
        {help}
      </p>
    </div>
  );
}

export function PromptField({ session }: { session: Session }) {
  const help = promptHelp(session.form.prompt.value);
  return (
    <Control session={session} field="prompt" label="Prompt" class="prompt" help={help}>
      {(attributes) => (
        <textarea
          {...attributes}
          rows={2}
          placeholder="a dancing cat"
          autocomplete="off"
          enterkeyhint="go"
          value={session.form.prompt.value}
          onInput={(event) => session.edit('prompt', event.currentTarget.value)}
          onKeyDown={(event) => {
            // A new line means nothing here; Shift makes one all the same. With Ctrl or ⌘ it is the page's.
            if (event.key !== 'Enter' || event.shiftKey || event.ctrlKey || event.metaKey || isComposing(event)) return;
            event.preventDefault();
            if (!event.repeat) event.currentTarget.form?.requestSubmit();
          }}
        />
      )}
    </Control>
  );
}

function promptHelp(text: string): string {
  const length = [...text].length;
  if (length > limits.promptLength * 0.8)
    return `${length} of ${limits.promptLength} characters; the model reads some ${promptTokens} words of a scene.`;
  const words = Math.max(...scenesOf(text).map((scene) => scene.split(/\s+/).length));
  if (words > promptTokens) return `The model reads some ${promptTokens} words of a scene, and not the end of this.`;
  return 'English words; one thing doing one thing works best. A story: egg > chick > rooster.';
}

interface NumberFieldProps {
  readonly session: Session;
  readonly field: NumericField;
  readonly label: string;
  readonly help: ComponentChildren;
  /** Where the slider rests while nothing is typed, for a number that may be left out. */
  readonly unset?: number;
}

/** A number to type or step with the arrow keys, and a slider that is its twin for the pointer. */
export function NumberField({ session, field, label, help, unset }: NumberFieldProps) {
  const slider = reach[field];
  const text = session.form[field].value;
  const isUnset = text.trim() === '' && unset !== undefined;
  const value = isUnset ? unset : parseDecimal(text);
  const { min, max } = limits[field];
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowUp: 1, ArrowDown: -1, PageUp: 4, PageDown: -4 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    session.edit(field, stepped(text, by, field));
  };
  return (
    <Control session={session} field={field} label={label} help={help}>
      {(attributes) => (
        <div class="number">
          <input
            {...attributes}
            type="text"
            inputmode={slider.step < 1 ? 'decimal' : 'numeric'}
            autocomplete="off"
            role="spinbutton"
            aria-valuemin={min}
            aria-valuemax={max}
            aria-valuenow={!isUnset && Number.isFinite(value) ? value : undefined}
            value={text}
            placeholder={unset === undefined ? undefined : 'auto'}
            onInput={(event) => session.edit(field, event.currentTarget.value)}
            onKeyDown={onKeyDown}
          />
          <span class="reach" aria-hidden="true">
            <input
              class="slider"
              type="range"
              tabindex={-1}
              min={slider.min}
              max={slider.max}
              step={slider.step}
              value={Number.isFinite(value) ? clamp(value, slider.min, slider.max) : slider.min}
              style={{ '--share': isUnset ? '0' : share(value, slider) }}
              onInput={(event) => session.edit(field, event.currentTarget.value)}
            />
          </span>
        </div>
      )}
    </Control>
  );
}

function share(value: number, { min, max }: { readonly min: number; readonly max: number }): string {
  return Number.isFinite(value) ? String(clamp((value - min) / (max - min), 0, 1)) : '0';
}

export function framesHelp(text: string): string {
  const seconds = Number(text) / framesPerSecond;
  const length =
    seconds > 0 && Number.isFinite(seconds) ? `${seconds.toFixed(1)} s at ${framesPerSecond} a second. ` : '';
  return `${length}A multiple of ${limits.frames.multiple}; the clip always loops.`;
}

export function SeedField({ session }: { session: Session }) {
  const locked = session.seedLocked.value;
  return (
    <Control
      session={session}
      field="seed"
      label="Seed"
      class="seed"
      help={locked ? 'Locked: the same number draws the same clip.' : 'Unlocked: each new clip rolls another number.'}
    >
      {(attributes) => (
        <div class="joined">
          <input
            {...attributes}
            type="text"
            inputmode="numeric"
            autocomplete="off"
            value={session.form.seed.value}
            onInput={(event) => session.edit('seed', event.currentTarget.value)}
          />
          <button
            type="button"
            class="tool"
            aria-label="Roll dice"
            title="Roll another number"
            onClick={session.rollSeed}
          >
            <DiceIcon />
          </button>
          <button
            type="button"
            class="tool"
            aria-label="Lock"
            aria-pressed={locked}
            title={locked ? 'Let it roll for each clip' : 'Keep this number'}
            onClick={() => {
              session.seedLocked.value = !locked;
            }}
          >
            <LockIcon locked={locked} />
          </button>
        </div>
      )}
    </Control>
  );
}

const samplerHelp: Record<SamplerName, string> = {
  'flow-euler': 'Straight steps: what this model was trained for.',
  euler: 'Plain first-order steps in noise level.',
  'euler-ancestral': 'First-order steps, each with fresh noise.',
  'dpmpp-2m': 'Second order: each step looks back at the one before.',
  ddim: 'The classic without fresh noise.',
  ddpm: 'The original, with fresh noise each step.',
  lcm: 'Guesses the end, adds noise, guesses again: for models trained to it.',
};

export function SamplerField({ session }: { session: Session }) {
  const chosen = session.form.sampler.value;
  const isKnown = Object.hasOwn(samplers, chosen);
  return (
    <Control
      session={session}
      field="sampler"
      label="Sampler"
      class="sampler"
      help={isKnown ? samplerHelp[chosen as SamplerName] : 'How noise becomes a picture.'}
    >
      {(attributes) => (
        <select {...attributes} value={chosen} onChange={(event) => session.edit('sampler', event.currentTarget.value)}>
          {!isKnown && <option value={chosen}>{chosen.slice(0, 30)}</option>}
          {Object.entries(samplers).map(([name, words]) => (
            <option key={name} value={name}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Control>
  );
}

const papers = [
  ['Cream', '#fff8e9'],
  ['White', '#ffffff'],
  ['Butter', '#ffd978'],
  ['Mint', '#bfe3cf'],
  ['Sky', '#b9dcf2'],
  ['Night', '#232a3b'],
] as const;

export function BackgroundField({ session }: { session: Session }) {
  const color = session.form.background.value;
  const set = (value: string) => session.edit('background', value);
  return (
    <Control
      session={session}
      field="background"
      label="Background"
      class="background"
      help="The paper under the sticker, in the MP4 too."
    >
      {(attributes) => (
        <div class="papers">
          <span class="joined">
            <input
              {...attributes}
              type="text"
              autocomplete="off"
              spellcheck={false}
              value={color}
              onInput={(event) => set(event.currentTarget.value)}
            />
            <input
              class="well"
              type="color"
              aria-label="Pick a colour"
              value={readColor(color) ?? '#ffffff'}
              onInput={(event) => set(event.currentTarget.value)}
            />
          </span>
          {papers.map(([name, value]) => (
            <button
              key={value}
              type="button"
              class="paper"
              aria-label={`${name} paper`}
              aria-pressed={color.toLowerCase() === value}
              title={name}
              style={{ '--paper-color': value }}
              onClick={() => set(value)}
            />
          ))}
        </div>
      )}
    </Control>
  );
}
