// Where a start picture comes from: a file, the finished clip's first frame, a drawing. Each can be undone.
// Not the picture's own state, nor how a file is read (`start-picture.ts`).
import type { ReadonlySignal } from '@preact/signals';
import { type Pixels, toPng } from '../media/pixels';
import { frameSide } from '../options';
import type { EngineClient } from '../protocol';
import { whole } from '../redraw';
import type { Clip } from './finished';
import type { Controls } from './form';
import type { StartPictureState } from './start-picture';
import type { Undo } from './undo';

export interface PictureSources {
  /** Makes a file the start picture. What is no picture changes nothing, and is explained at the control. */
  usePicture(file: File): Promise<void>;
  /** Makes the finished clip's first frame the start picture, as it is. */
  keepPicture(): Promise<void>;
  /** Makes a drawing the start picture, as a sketch of what the prompt draws. */
  startFromSketch(drawing: File): Promise<void>;
  removePicture(): void;
}

export interface PictureSourcesOptions {
  readonly engine: EngineClient;
  readonly start: StartPictureState;
  readonly clip: ReadonlySignal<Clip | undefined>;
  readonly edit: Controls['edit'];
  readonly undo: Pick<Undo, 'remember' | 'replace'>;
  readonly fail: (error: unknown) => void;
}

export function createPictureSources({ engine, start, clip, edit, undo, fail }: PictureSourcesOptions): {
  sources: PictureSources;
  /** Whether the picture that is being read is taken, once that is known; undefined when none is being read. */
  reading(): Promise<boolean> | undefined;
} {
  let reading: Promise<boolean> | undefined;
  const read = async (work: () => Promise<boolean>) => {
    const mine = work();
    reading = mine;
    await mine.finally(() => {
      if (reading === mine) reading = undefined;
    });
  };

  const take = async (file: File) => {
    const before = start.picture.value;
    const replacedBy = undo.remember();
    const taken = await start.use(file);
    if (before && taken) replacedBy(`“${taken.name}” is the start picture now.`);
    return taken !== undefined;
  };

  const sources: PictureSources = {
    usePicture: (file) => read(() => take(file)),
    startFromSketch: (drawing) =>
      read(async () => {
        const taken = await take(drawing);
        if (taken) edit('redraw', whole);
        return taken;
      }),
    keepPicture: () =>
      read(async () => {
        const finished = clip.value;
        if (!finished) return false;
        try {
          const first = await engine.pixels(0, frameSide);
          const replacedBy = undo.remember();
          const taken = await start.use(await pictureFile(first, `First page of “${finished.title}”`));
          if (!taken) return false;
          edit('redraw', '');
          replacedBy('Its first page is the start picture now: another seed or prompt moves it in another way.');
          return true;
        } catch (error) {
          fail(error);
          return false;
        }
      }),
    removePicture() {
      undo.replace(() => {
        start.remove();
        return 'The start picture is removed.';
      });
    },
  };
  return { sources, reading: () => reading };
}

/** Pixels as a file that somebody could have given. */
async function pictureFile(pixels: Pixels, name: string): Promise<File> {
  return new File([await toPng(pixels)], name, { type: 'image/png' });
}
