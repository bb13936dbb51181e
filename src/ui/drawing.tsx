// The drawing pad: a sheet over the page to draw a start picture on, as a sketch of what the prompt should make. Strokes and
// their smoothing are signature_pad's. Without a pointer a picture is chosen or pasted instead.
import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import SignaturePad from 'signature_pad';
import { PencilIcon } from './icons';
import type { Session } from './session';
import { loadStrokes, saveStrokes } from './settings';

const inks = [
  ['Black', '#1d1a17'],
  ['White', '#ffffff'],
  ['Red', '#e0402a'],
  ['Orange', '#f58b1f'],
  ['Yellow', '#fbc926'],
  ['Green', '#46a049'],
  ['Blue', '#3b82e0'],
  ['Purple', '#8d54c7'],
  ['Pink', '#f58fb0'],
  ['Brown', '#8a5a35'],
] as const;
type Strokes = ReturnType<SignaturePad['toData']>;

/** Takes away what is there, down to transparency. */
const eraser = 'eraser';

/** Widths in CSS pixels of the pad. */
const brushes = [
  ['Thin', 5],
  ['Medium', 14],
  ['Broad', 38],
] as const;

/** CSS pixels of the pad's side, which must not change: strokes are kept in them. It fits a phone of 320. */
const side = 288;
/** Canvas pixels to one of them: finer than the 128 points that a picture is fitted into. */
const scale = 2;

export function DrawButton({ session }: { session: Session }) {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button type="button" class="plain" onClick={() => dialog.current?.showModal()}>
        <PencilIcon />
        Draw one
      </button>
      <dialog ref={dialog} class="drawing card" aria-labelledby="drawing-title">
        <Sheet
          onDone={(drawing) => {
            dialog.current?.close();
            if (drawing) void session.startFromSketch(drawing);
          }}
        />
      </dialog>
    </>
  );
}

/** @param onDone a PNG, transparent where nothing is drawn; undefined: never mind */
function Sheet({ onDone }: { onDone: (drawing: File | undefined) => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pad = useRef<SignaturePad | undefined>(undefined);
  const ink = useSignal<string>(inks[0][1]);
  const brush = useSignal<number>(brushes[1][1]);
  const isEmpty = useSignal(true);
  /** What Clear took away, for Undo on the empty sheet. */
  const cleared = useRef<Strokes | undefined>(undefined);

  useLayoutEffect(() => {
    if (!canvas.current) return;
    canvas.current.getContext('2d')?.scale(scale, scale);
    const created = new SignaturePad(canvas.current, { minDistance: 1 });
    const kept = keptStrokes();
    created.fromData(kept);
    isEmpty.value = kept.length === 0;
    created.addEventListener('endStroke', () => {
      isEmpty.value = false;
      saveStrokes(created.toData());
    });
    pad.current = created;
    return () => created.off();
  }, [isEmpty]);
  // Before the next stroke may begin.
  useLayoutEffect(() => {
    if (!pad.current) return;
    const isErasing = ink.value === eraser;
    pad.current.penColor = isErasing ? '#000' : ink.value;
    pad.current.compositeOperation = isErasing ? 'destination-out' : 'source-over';
    // One width at any speed: a marker, not a fountain pen.
    pad.current.minWidth = pad.current.maxWidth = pad.current.dotSize = brush.value / 2;
  }, [ink.value, brush.value]);

  const show = (strokes: Strokes) => {
    pad.current?.fromData(strokes);
    isEmpty.value = strokes.length === 0;
    saveStrokes(strokes);
  };
  const clear = () => {
    if (!isEmpty.value) cleared.current = pad.current?.toData();
    show([]);
  };
  const undo = () => {
    const strokes = pad.current?.toData() ?? [];
    show(strokes.length === 0 ? (cleared.current ?? []) : strokes.slice(0, -1));
  };
  const use = () =>
    canvas.current?.toBlob((blob) => {
      if (blob) saveStrokes([]);
      onDone(blob ? new File([blob], 'Drawing', { type: 'image/png' }) : undefined);
    });

  return (
    <>
      <h2 id="drawing-title">Draw a sketch</h2>
      <p class="help">Outlines or a few flat colours will do: the prompt says what it is, and draws it anew.</p>
      <canvas ref={canvas} width={side * scale} height={side * scale} role="img" aria-label="Your drawing" />
      <fieldset class="inks" aria-label="Colour">
        {inks.map(([name, color]) => (
          <button
            key={color}
            type="button"
            class="paper"
            aria-label={name}
            aria-pressed={ink.value === color}
            title={name}
            style={{ '--paper-color': color }}
            onClick={() => {
              ink.value = color;
            }}
          />
        ))}
        <button
          type="button"
          class="quiet"
          aria-pressed={ink.value === eraser}
          onClick={() => {
            ink.value = eraser;
          }}
        >
          Eraser
        </button>
      </fieldset>
      <div class="inks">
        <fieldset class="brushes" aria-label="Brush">
          {brushes.map(([name, width]) => (
            <button
              key={name}
              type="button"
              class="tool"
              aria-label={name}
              aria-pressed={brush.value === width}
              title={`${name} brush`}
              style={{ '--dot': `${Math.min(width, 24)}px` }}
              onClick={() => {
                brush.value = width;
              }}
            />
          ))}
        </fieldset>
        <button type="button" class="quiet" onClick={undo}>
          Undo
        </button>
        <button type="button" class="quiet" onClick={clear}>
          Clear
        </button>
      </div>
      <div class="done">
        <button type="button" class="generate" aria-disabled={isEmpty.value} onClick={() => !isEmpty.value && use()}>
          Use this drawing
        </button>
        <button type="button" class="cancel" onClick={() => onDone(undefined)}>
          Cancel
        </button>
      </div>
    </>
  );
}

/** None where none were kept, or where what is there is no drawing. */
function keptStrokes(): Strokes {
  const kept = loadStrokes();
  return Array.isArray(kept) && kept.every(isStroke) ? kept : [];
}

/** Drawing anything else could throw, or take forever. */
function isStroke(stroke: unknown): boolean {
  const { points, penColor: _colour, compositeOperation: _operation, ...sizes } = Object(stroke);
  const isWithin = (least: number) => (value: unknown) =>
    typeof value === 'number' && value >= least && value <= 10_000;
  return (
    Array.isArray(points) &&
    points.length > 0 &&
    points.every((point) => [point?.x, point?.y].every(isWithin(-10_000))) &&
    Object.values(sizes).every(isWithin(0))
  );
}
