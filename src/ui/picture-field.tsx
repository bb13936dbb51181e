// The start picture's control: an empty frame that takes a picture by click, drop or paste, or the picture with its Remove
// button. What becomes of other files that reach the page is in files.ts.
import { useEffect, useRef } from 'preact/hooks';
import type { StartPicture } from '../media/picture';
import { frameSide } from '../options';
import { DrawButton } from './drawing';
import { receiveFile } from './files';
import { PictureIcon } from './icons';
import { fileName, releaseLater, save } from './save';
import type { Session } from './session';

export function PictureField({ session }: { session: Session }) {
  const picture = session.start.picture.value;
  const file = picture?.file;
  const problem = session.start.problem.value;
  const missing = session.start.missing.value;
  const dragging = session.dragging.value;
  const state = dragging === 'none' ? '' : `invited ${dragging === 'control' ? 'over' : ''}`;
  return (
    <div class={`control picture ${problem ? 'wrong' : ''}`}>
      <div class="heading">
        <label for="picture">Start picture</label>
        <DrawButton session={session} />
      </div>
      <div class={`drop ${picture ? 'full' : ''} ${state}`}>
        <div class="target">
          <input
            id="picture"
            type="file"
            accept="image/*"
            aria-invalid={problem !== ''}
            aria-describedby={`picture-words ${problem ? 'picture-error' : ''} ${picture ? '' : 'picture-help'}`}
            onChange={(event) => {
              const input = event.currentTarget;
              const file = input.files?.[0];
              if (file) void receiveFile(session, file, true);
              input.value = ''; // The same file may be chosen again.
            }}
          />
          {picture ? <Thumbnail picture={picture} /> : <PictureIcon />}
          <span class="words" id="picture-words">
            {dragging === 'none' ? words(picture) : 'Drop it here to start from it'}
          </span>
        </div>
        {picture && (
          <button type="button" class="quiet" onClick={() => remove(session)}>
            Remove
          </button>
        )}
      </div>
      {problem && (
        <p class="error" id="picture-error">
          {problem}
        </p>
      )}
      {file && (
        <p class="help">
          It was made here. Links and clips only name it:{' '}
          <button type="button" class="plain" onClick={() => saveFile(picture.name, file)}>
            Save it
          </button>{' '}
          for whoever is to draw the same clip.
        </p>
      )}
      {!picture && (
        <p class="help">
          <span id="picture-help">{help(missing)}</span>{' '}
          {missing && (
            <button type="button" class="plain" onClick={() => remove(session)}>
              Do without it
            </button>
          )}
        </p>
      )}
    </div>
  );
}

function words(picture: StartPicture | undefined) {
  return picture ? <strong>{picture.name}</strong> : 'Drop, paste or choose one';
}

/** @param missing SHA-256 of a picture that these settings name and that is not here */
function help(missing: string): string {
  if (missing) {
    return `These settings start from a picture that is not here (SHA-256 ${missing.slice(0, 12)}…). Add the same file to get the same clip. If it was made in Flipbook, whoever sent you this can press “Save it” and send it to you.`;
  }
  return 'Optional: a picture to move, to change in part, or to draw a sticker after.';
}

export function Thumbnail({ picture }: { picture: StartPicture }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const { data, width, height } = picture.pixels;
    canvas.current?.getContext('2d')?.putImageData(new ImageData(data, width, height), 0, 0);
  }, [picture]);
  return <canvas ref={canvas} width={frameSide} height={frameSide} />;
}

function saveFile(name: string, file: BlobPart): void {
  const address = URL.createObjectURL(new Blob([file], { type: 'image/png' }));
  save(address, fileName(name, undefined, 'png'));
  releaseLater(address);
}

function remove(session: Session): void {
  session.removePicture();
  // The button goes away: keep the keyboard at the control.
  document.getElementById('picture')?.focus();
}
