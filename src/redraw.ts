// What of the start picture is drawn anew: nothing, the part in a box, or all of it, after a sketch. As text and back.
import { gridSide } from './options';

/** A part of the start picture, in cells of the grid. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** All of it: the picture is a sketch, of which nothing is kept as it is. */
export const whole = 'all';
export type Redraw = typeof whole | Box;

export const formatBox = ({ left, top, width, height }: Box): string => [left, top, width, height].join(',');

/** `4,4,8,8`, also with spaces; nothing for what is no box on the grid. */
export function parseBox(text: string): Box | undefined {
  const numbers = /^(\d+)[\s,]+(\d+)[\s,]+(\d+)[\s,]+(\d+)$/.exec(text.trim())?.slice(1).map(Number);
  const [left = 0, top = 0, width = 0, height = 0] = numbers ?? [];
  const fits = width > 0 && height > 0 && left + width <= gridSide && top + height <= gridSide;
  return fits ? { left, top, width, height } : undefined;
}

/** The same, or `all`. */
export function parseRedraw(text: string): Redraw | undefined {
  return text.trim().toLowerCase() === whole ? whole : parseBox(text);
}

export function formatRedraw(redraw: Redraw): string {
  return redraw === whole ? whole : formatBox(redraw);
}
