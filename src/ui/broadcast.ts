// For scripts that drive the page (scripts/generate.mjs): what happens to a clip, as events on `window`.
import type { DoneEvent, GenerateEvent } from '../events';
import type { Failure } from '../protocol';

/** An event's `detail`. */
export type PageEvent =
  | Exclude<GenerateEvent, DoneEvent>
  | (Pick<DoneEvent, 'type' | 'codec' | 'stats' | 'options'> & {
      readonly problem?: string | undefined;
      readonly adapter?: string | undefined;
    })
  | { readonly type: 'picture'; readonly sha256: string }
  | ({ readonly type: 'failure' } & Failure);

export function broadcast(detail: PageEvent): void {
  if (typeof window !== 'undefined') window.dispatchEvent(new CustomEvent('flipbook', { detail }));
}
