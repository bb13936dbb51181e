// Where a start picture comes from: a file, a frame of the finished clip, a drawing. Each can be undone.
// Not the picture's own state, nor how a file is read (`start-picture.ts`).
import { batch, type ReadonlySignal } from '@preact/signals';
import type { StartPicture } from '../media/picture';
import { type Pixels, toPng } from '../media/pixels';
import { frameSide } from '../options';
import type { EngineClient } from '../protocol';
import { whole } from '../redraw';
import type { Clip } from './finished';
import type { Controls } from './form';
import type { Pages } from './pages';
import type { Outcome, StartPictureState } from './start-picture';
import type { Undo } from './undo';
import { capital } from './words';

export interface PictureSources {
  /** Makes a file the start picture. What is no picture changes nothing, and is explained at the control. */
  usePicture(file: File): Promise<Outcome>;
  /** Makes the frame at which the finished clip rests the start picture, as it is; of one that moves, the first. */
  keepPicture(): Promise<Outcome>;
  /** Makes a drawing the start picture, as a sketch of what the prompt draws. */
  startFromSketch(drawing: File): Promise<Outcome>;
  /** The next clip starts from none: neither the one that is here nor the one that its settings name. */
  removePicture(): void;
}

export interface PictureSourcesOptions {
  readonly engine: EngineClient;
  readonly start: StartPictureState;
  readonly clip: ReadonlySignal<Clip | undefined>;
  readonly page: Pages['page'];
  readonly form: Controls['form'];
  readonly edit: Controls['edit'];
  readonly undo: Pick<Undo, 'replace'>;
  readonly fail: (error: unknown) => void;
}

export function createPictureSources({ engine, start, clip, page, form, edit, undo, fail }: PictureSourcesOptions): {
  sources: PictureSources;
  /** What becomes of the picture that is being read; undefined when none is. */
  reading(): Promise<Outcome> | undefined;
} {
  let reading: Promise<Outcome> | undefined;
  const read = async (work: () => Promise<Outcome>) => {
    const mine = work();
    reading = mine;
    return mine.finally(() => {
      if (reading === mine) reading = undefined;
    });
  };

  const take = async (file: File, isSketch: boolean) => {
    const act = (given: StartPicture, put: () => void) => {
      const before = start.picture.value;
      const missing = start.missing.value;
      const isSame = given.sha256 === (before?.sha256 ?? missing);
      const replace = () => {
        put();
        if (isSketch) edit('redraw', whole);
        // That the one before was a sketch says nothing of another; a box stays.
        else if (!isSame && form.redraw.value === whole) edit('redraw', '');
        const remark = missing ? ' It is not the one that these settings name: they draw another clip with it.' : '';
        return `“${given.name}” is the start picture now.${remark}`;
      };
      if (before || (missing && !isSame)) undo.replace(replace, 'hand');
      else batch(replace);
    };
    return start.use(file, act, isSketch);
  };

  const sources: PictureSources = {
    usePicture: (file) => read(() => take(file, false)),
    startFromSketch: (drawing) => read(() => take(drawing, true)),
    keepPicture: () =>
      read(async () => {
        const finished = clip.value;
        if (!finished) return 'refused';
        const index = page.value ?? 0;
        const which = index === 0 ? 'first page' : `page ${index + 1}`;
        try {
          const frame = await engine.pixels(index, frameSide);
          const file = await pictureFile(frame, `${capital(which)} of “${finished.title}”`);
          const act = (_given: StartPicture, put: () => void) =>
            undo.replace(() => {
              put();
              edit('redraw', '');
              return `Its ${which} is the start picture now: another seed or prompt moves it in another way.`;
            });
          return await start.use(file, act, true);
        } catch (error) {
          fail(error);
          return 'refused';
        }
      }),
    removePicture() {
      undo.replace(() => {
        const before = start.picture.value;
        start.remove();
        return before ? `“${before.name}” was removed.` : 'The picture that the settings named was left out.';
      }, 'hand');
    },
  };
  return { sources, reading: () => reading };
}

/** Pixels as a file that somebody could have given. */
async function pictureFile(pixels: Pixels, name: string): Promise<File> {
  return new File([await toPng(pixels)], name, { type: 'image/png' });
}
