// Failures in plain words: what happened, what still works, what to do. The engine's own words are the detail below.
import type { GenerateEvent, Recording } from '../events';
import { modelTitle, type Restored } from '../options';
import type { Failure, FailureCode } from '../protocol';
import { webGpuAdvice } from './browsers';

export interface Message {
  readonly title: string;
  readonly body: string;
  readonly advice: string;
  /** Pressing Generate again may work. */
  readonly retry: boolean;
}

type UnreadEvent = Extract<GenerateEvent, { type: 'unread' }>;

/** What the advice depends on. */
export interface Surroundings {
  readonly userAgent: string;
  readonly touchPoints: number;
  readonly isSecure: boolean;
}

/** Those of this page. */
export function surroundings(): Surroundings {
  const { userAgent = '', maxTouchPoints: touchPoints = 0 } = globalThis.navigator ?? {};
  return { userAgent, touchPoints, isSecure: globalThis.isSecureContext ?? true };
}

/** Of settings that another model drew a clip with; empty where it is this one, or nobody knows. */
export function otherModel({ model = modelTitle }: Restored): string {
  if (model === modelTitle) return '';
  return `They were used with another model (${model}): this one (${modelTitle}) draws another clip with them.`;
}

/**
 * Of a finished clip whose frames went away with the device.
 * @param hasVideo it plays in their place @param isOfForm the form still asks for such a clip
 */
export function framesLost(hasVideo: boolean, isOfForm: boolean): string {
  const left = hasVideo ? 'you are seeing its MP4' : 'it had no MP4';
  const again = isOfForm
    ? 'press Generate while the form still has its settings'
    : 'make another clip, then press “Use its settings” under Earlier clips, and Generate';
  return `The graphics device went away and this clip’s frames are lost; ${left}. To draw it again, ${again}.`;
}

/** What the model did not see of a prompt. */
export function unread({ unknown, cut }: UnreadEvent): string {
  const quoted = (texts: readonly string[]) => texts.map((text) => `“${shortened(text)}”`).join(', ');
  return [
    unknown.length > 0 ? `This model reads English words, and does not know ${quoted(unknown)}.` : '',
    cut.length > 0 ? `Too long to be read to its end: without ${quoted(cut)}.` : '',
  ]
    .filter(Boolean)
    .join(' ');
}

type Explained = Exclude<FailureCode, 'unknown' | 'cancelled'>;

const known: Record<Explained, (failure: Failure, surroundings: Surroundings) => Message> = {
  'no-webgpu': (_failure, { userAgent, touchPoints, isSecure }) => ({
    title: 'This browser has no WebGPU',
    body: 'Flipbook draws on your own graphics chip, and WebGPU is how a page may use it. You can still write, look around and share links.',
    advice: isSecure
      ? webGpuAdvice(userAgent, touchPoints)
      : 'This address is not secure, and browsers offer WebGPU to secure pages only: open it over https, or on localhost.',
    retry: false,
  }),
  'no-adapter': ({ hint }, { userAgent, touchPoints }) => ({
    title: 'No graphics adapter answered',
    body: 'The browser knows WebGPU, but found no graphics chip that it trusts with it.',
    advice: [webGpuAdvice(userAgent, touchPoints), hint].filter(Boolean).join(' '),
    retry: true,
  }),
  limits: ({ message, hint }) => ({
    title: 'This graphics chip is too small for that',
    body: message,
    advice: hint,
    retry: true,
  }),
  'out-of-memory': ({ message, hint }) => ({
    title: 'The graphics memory is full',
    body: `${message} Your settings are safe, and so are finished clips.`,
    advice: hint,
    retry: true,
  }),
  'device-lost': ({ hint }) => ({
    title: 'The graphics device went away',
    body: 'The browser or the driver took the graphics device back: after sleep, a driver update or too much work at once. Your settings are safe, and so are the MP4s of finished clips.',
    advice: hint,
    retry: true,
  }),
  stopped: ({ message, hint }) => ({
    title: 'The engine stopped',
    body: `The part of this page that draws came to an unforeseen end: ${message} Your settings are safe, and so are the MP4s of finished clips.`,
    advice: hint || 'Try again: Flipbook starts it anew. If it stops every time, reload the page.',
    retry: !hint,
  }),
  numbers: ({ message, hint }) => ({
    title: 'The numbers came out wrong',
    body: message,
    advice: hint,
    retry: true,
  }),
  shader: ({ message, hint }) => ({
    title: 'The graphics driver refused a program',
    body: message,
    advice: hint,
    retry: true,
  }),
  weights: ({ message, hint }) => ({
    title: 'The model could not be loaded',
    body: message,
    advice: hint,
    retry: true,
  }),
  encoder: ({ message, hint }) => ({
    title: 'No MP4 this time',
    body: message,
    advice: `${hint || 'For an MP4, open this page in a browser that encodes H.264 or VP9.'} Download APNG has the whole loop, with its transparency.`,
    retry: false,
  }),
  gone: ({ message, hint }) => ({
    title: 'That clip has left the stage',
    body: message,
    advice: hint,
    retry: false,
  }),
  input: ({ message, hint }) => ({ title: 'That does not fit', body: message, advice: hint, retry: false }),
};

export function explain(given: Failure, surroundings: Surroundings): Message {
  const failure = { ...given, message: sentence(given.message) };
  const { code, message, hint } = failure;
  if (code !== 'unknown' && code !== 'cancelled') return known[code](failure, surroundings);
  const advice = hint || 'Try again. If it happens once more, reload the page.';
  return { title: 'Something went wrong', body: message, advice, retry: true };
}

/** Whether it means that this browser draws nothing at all. */
export function isUnable(failure: Failure | undefined): boolean {
  return failure?.code === 'no-webgpu' || failure?.code === 'no-adapter';
}

/** That no video could be encoded. @param old the clip has one, on another paper */
export function withoutVideo(problem: Recording['problem'], old: boolean): Failure {
  const { message, hint } = problem ?? { message: 'This browser could not encode a video.', hint: '' };
  const left = old
    ? 'The MP4 on the paper before is still there.'
    : 'The clip plays here until the next one is finished or you leave the page; it is not stored.';
  return { code: 'encoder', message: `${sentence(message)} ${left}`, hint };
}

/** A failure as its notice says it. */
export function inFull(failure: Failure): string {
  const { title, body, advice } = explain(failure, surroundings());
  return [`${title}.`, body, advice].filter(Boolean).join(' ');
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 38).trim()}…` : text;
}

/** Errors end without a full stop as often as with one, and other words follow them here. */
function sentence(text: string): string {
  return text === '' || /[.!?…]$/.test(text) ? text : `${text}.`;
}
