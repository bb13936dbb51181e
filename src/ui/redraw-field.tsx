// The control for drawing a part of the start picture anew: the picture on a grid to drag a box on, and the same box as text.
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { type Box, clamp, formatBox, gridSide, parseBox } from '../options';
import { Control } from './fields';
import { Thumbnail } from './picture-field';
import type { Session } from './session';

/** Nothing while there is no picture. */
export function RedrawField({ session }: { session: Session }) {
  const picture = session.start.picture.value;
  if (!picture) return null;
  const text = session.form.redraw.value;
  const set = (value: string) => session.edit('redraw', value);
  return (
    <Control session={session} field="redraw" label="Redraw a part" class="redraw" help={help(text)}>
      {(attributes) => (
        <div class="redrawing">
          <Pad box={parseBox(text)} onBox={(box) => set(box ? formatBox(box) : '')}>
            <Thumbnail picture={picture} />
          </Pad>
          <div class="beside">
            <input
              {...attributes}
              type="text"
              autocomplete="off"
              spellcheck={false}
              placeholder="nothing"
              value={text}
              onInput={(event) => set(event.currentTarget.value)}
            />
            <button type="button" class="quiet" disabled={text === ''} onClick={() => set('')}>
              Keep all
            </button>
          </div>
        </div>
      )}
    </Control>
  );
}

function help(text: string): string {
  return parseBox(text)
    ? 'The prompt draws what is in the box, to go with the rest, which is kept. Numbers: left, top, width, height.'
    : 'Optional: drag a box over what the prompt should draw anew. The rest is kept.';
}

interface PadProps {
  readonly box: Box | undefined;
  /** Undefined: there shall be none. */
  readonly onBox: (box: Box | undefined) => void;
  readonly children: ComponentChildren;
}

/** For the pointer alone: the text beside it is the keyboard's. */
function Pad({ box, onBox, children }: PadProps) {
  const from = useRef<readonly [number, number] | undefined>(undefined);
  const cell = ({ currentTarget, clientX, clientY }: PointerEvent & { currentTarget: HTMLElement }) => {
    const { left, top, width, height } = currentTarget.getBoundingClientRect();
    const at = (offset: number, extent: number) => clamp(Math.floor((offset / extent) * gridSide), 0, gridSide - 1);
    return [at(clientX - left, width), at(clientY - top, height)] as const;
  };
  return (
    <div
      class="pad"
      aria-hidden="true"
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        from.current = cell(event);
        onBox(undefined); // A click without a drag takes the box away.
      }}
      onPointerMove={(event) => {
        if (!from.current) return;
        const [[x0, y0], [x1, y1]] = [from.current, cell(event)];
        if (x0 === x1 && y0 === y1 && !box) return;
        const [left, top] = [Math.min(x0, x1), Math.min(y0, y1)];
        onBox({ left, top, width: Math.abs(x1 - x0) + 1, height: Math.abs(y1 - y0) + 1 });
      }}
      onLostPointerCapture={() => {
        from.current = undefined;
      }}
    >
      {children}
      {box && <span class="box" style={place(box)} />}
    </div>
  );
}

function place({ left, top, width, height }: Box): Record<string, string> {
  const percent = (cells: number) => `${(100 * cells) / gridSide}%`;
  return { left: percent(left), top: percent(top), width: percent(width), height: percent(height) };
}
