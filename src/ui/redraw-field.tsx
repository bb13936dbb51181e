// What the start picture is for: the clip's first frame, a frame of which a part is drawn anew, or a sketch of what is meant.
// For a part there is the picture on a grid to drag a box on, and the same box as text.
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import type { StartPicture } from '../media/picture';
import { clamp, gridSide } from '../options';
import { type Box, formatBox, parseBox, whole } from '../redraw';
import { Control } from './fields';
import { Thumbnail } from './picture-field';
import type { Session } from './session';

const uses = {
  frame: ['First frame', 'The clip moves from it as it is; the prompt may stay empty.'],
  part: ['Redraw a part', 'The clip moves from it, once the prompt has drawn what is in a box.'],
  sketch: ['Sketch', 'The prompt draws it anew: outlines, flat colours or a blurred photo say where things are.'],
} as const;
type Use = keyof typeof uses;

/** Of the picture's grid. */
const middle = '4,4,8,8';

/** Nothing while there is no picture. */
export function RedrawField({ session }: { session: Session }) {
  const picture = session.start.picture.value;
  const text = session.form.redraw.value;
  /** What a part begins with: the box that was last there. */
  const lastBox = useRef(middle);
  if (!picture) return null;
  if (parseBox(text)) lastBox.current = text;
  const use: Use = text === whole ? 'sketch' : text !== '' ? 'part' : 'frame';
  const choose = (next: Use) => session.edit('redraw', { frame: '', part: lastBox.current, sketch: whole }[next]);
  return (
    <>
      <fieldset class="uses" aria-describedby="use-help">
        <legend>Use it as</legend>
        <div class="choices">
          {(Object.keys(uses) as Use[]).map((each) => (
            <label key={each}>
              <input type="radio" name="use" checked={use === each} onChange={() => choose(each)} />
              {uses[each][0]}
            </label>
          ))}
        </div>
        <p class="help" id="use-help">
          {uses[use][1]}
        </p>
      </fieldset>
      {use === 'part' && <BoxField session={session} picture={picture} />}
    </>
  );
}

/** A box that is emptied stays a box, still to be typed, and is a blank in the form: nothing at all means the whole frame. */
const blank = ' ';

function BoxField({ session, picture }: { session: Session; picture: StartPicture }) {
  const text = session.form.redraw.value;
  const set = (value: string) => session.edit('redraw', value || blank);
  return (
    <Control session={session} field="redraw" label="Box to redraw" class="redraw" help={help(text)}>
      {(attributes) => (
        <div class="redrawing">
          <Pad box={parseBox(text)} onBox={(box) => set(formatBox(box))}>
            <Thumbnail picture={picture} />
          </Pad>
          <input
            {...attributes}
            type="text"
            autocomplete="off"
            spellcheck={false}
            placeholder="nothing"
            value={text === blank ? '' : text}
            onInput={(event) => set(event.currentTarget.value)}
          />
        </div>
      )}
    </Control>
  );
}

function help(text: string): string {
  return parseBox(text)
    ? 'It will go with the rest, which is kept. Numbers: left, top, width, height.'
    : 'Drag a box on the picture, or type left, top, width and height: 4,4,8,8 is the middle.';
}

interface PadProps {
  readonly box: Box | undefined;
  readonly onBox: (box: Box) => void;
  readonly children: ComponentChildren;
}

/** For the pointer alone: the text beside it is the keyboard's. */
function Pad({ box, onBox, children }: PadProps) {
  const from = useRef<readonly [number, number] | undefined>(undefined);
  /** It has left the cell that it began in. */
  const isDrag = useRef(false);
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
        isDrag.current = false;
      }}
      onPointerMove={(event) => {
        if (!from.current) return;
        const [[x0, y0], [x1, y1]] = [from.current, cell(event)];
        isDrag.current ||= x0 !== x1 || y0 !== y1;
        if (!isDrag.current) return; // A tap: the box stays.
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
