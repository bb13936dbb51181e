// For scripts that drive the page (scripts/generate.mjs): what happens to a clip, as events on `window`.

export function broadcast(detail: object): void {
  if (typeof window !== 'undefined') window.dispatchEvent(new CustomEvent('flipbook', { detail }));
}
