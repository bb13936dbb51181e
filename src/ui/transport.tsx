// The buttons below the book: what can be done with a finished clip. How its files are made is the engine's.
import { useMemo, useRef } from 'preact/hooks';
import { decodeLink, encodeLink } from '../options';
import type { AnimationKind } from '../protocol';
import type { Clip } from './finished';
import {
  DownloadIcon,
  KeepIcon,
  LinkIcon,
  NextIcon,
  PauseIcon,
  PictureIcon,
  PlayIcon,
  PreviousIcon,
  ShareIcon,
} from './icons';
import { fileName, releaseLater, save } from './save';
import type { Session } from './session';
import { sizeInWords } from './words';

export function Transport({ session }: { session: Session }) {
  const clip = session.clip.value;
  const playing = session.playing.value;
  const isOnFirst = (session.page.value ?? 0) === 0;
  // A button that had the keyboard keeps it while a clip is in the making, and where its frames are lost.
  const isOff = session.progress.value !== undefined || session.isClipLost.value;
  const ofFrames = (act: () => unknown) => ({
    disabled: !clip,
    'aria-disabled': isOff,
    onClick: () => isOff || act(),
  });
  const saveMp4 = useOneAtATime(() => saveVideo(session));
  const packApng = useOneAtATime(() => saveAnimation(session, 'apng'));
  const packGif = useOneAtATime(() => saveAnimation(session, 'gif'));
  const share = useOneAtATime(() => shareVideo(session));
  const isSharable = useMemo(() => clip?.video && navigator.canShare?.(shared(clip)), [clip]);
  return (
    <div class="transport">
      <div class="pages">
        <button
          type="button"
          class="tool"
          aria-label="Previous page"
          aria-keyshortcuts="ArrowLeft"
          title="Previous page (left arrow key)"
          {...ofFrames(() => session.turn(-1))}
        >
          <PreviousIcon />
        </button>
        <button
          type="button"
          class="tool"
          disabled={!clip}
          aria-label={playing ? 'Pause' : 'Play'}
          title={playing ? 'Pause' : 'Play'}
          onClick={() => session.setPlaying(!playing)}
        >
          {playing ? <PauseIcon /> : <PlayIcon />}
        </button>
        <button
          type="button"
          class="tool"
          aria-label="Next page"
          aria-keyshortcuts="ArrowRight"
          title="Next page (right arrow key)"
          {...ofFrames(() => session.turn(1))}
        >
          <NextIcon />
        </button>
      </div>
      <button type="button" class="quiet" {...ofFrames(() => void savePicture(session))}>
        <PictureIcon /> Save PNG
      </button>
      <button
        type="button"
        class="quiet"
        title={`Start the next clip from ${isOnFirst ? 'this one’s first page' : 'the page that is shown'}`}
        {...ofFrames(() => void session.keepPicture())}
      >
        <KeepIcon /> Start from {isOnFirst ? 'page 1' : 'this page'}
      </button>
      <button type="button" class="quiet" onClick={() => void copyLink(session)}>
        <LinkIcon /> Copy link
      </button>
      <div class="mp4">
        <button type="button" class="download" {...(clip?.address ? { onClick: saveMp4 } : ofFrames(saveMp4))}>
          <DownloadIcon /> Download MP4
          {clip?.video && clip.options.background === session.background.value && (
            <small>{sizeInWords(clip.video.size)}</small>
          )}
        </button>
        {isSharable && (
          <button type="button" class="quiet" aria-label="Share" title="Hand the MP4 to another app" onClick={share}>
            <ShareIcon /> <span class="word">Share</span>
          </button>
        )}
      </div>
      <div class="loops">
        <button
          type="button"
          class="quiet"
          title="A looping PNG without the paper, for chats and web pages"
          {...ofFrames(packApng)}
        >
          <DownloadIcon /> Download APNG <small>transparent</small>
        </button>
        <button
          type="button"
          class="quiet"
          title="For chats and trackers that take no APNG: half-transparent edges are drawn on the background"
          {...ofFrames(packGif)}
        >
          <DownloadIcon /> Download GIF
        </button>
      </div>
    </div>
  );
}

/** However often it is asked for meanwhile. */
function useOneAtATime(act: () => Promise<void>): () => void {
  const running = useRef<Promise<void> | undefined>(undefined);
  return () => {
    running.current ??= act().finally(() => {
      running.current = undefined;
    });
  };
}

const videoName = ({ title, options }: Clip) => fileName(title, options.seed, 'mp4');

async function saveVideo(session: Session): Promise<void> {
  const clip = await session.recorded();
  if (!clip?.address) return;
  save(clip.address, videoName(clip));
  clip.isSaved.value = true;
}

const shared = (clip: Clip): ShareData => ({
  title: clip.title,
  files: clip.video ? [new File([clip.video], videoName(clip), { type: 'video/mp4' })] : [],
});

async function shareVideo(session: Session): Promise<void> {
  const clip = await session.recorded();
  if (!clip?.video) return;
  try {
    await navigator.share(shared(clip));
    clip.isSaved.value = true;
  } catch (error) {
    const reason = error instanceof DOMException && error.name;
    if (reason === 'AbortError') return; // Never mind.
    // A click counts for seconds only, and on another paper the MP4 has been made anew since.
    if (reason === 'NotAllowedError') session.tell('The MP4 is ready: press Share once more.');
    else session.report(error);
  }
}

async function savePicture(session: Session): Promise<void> {
  await saveFile(session, 'png', () => session.engine.still());
}

/** Pixels of a side of the animation: chats show stickers about this large. */
const stickerSide = 256;

async function saveAnimation(session: Session, kind: AnimationKind): Promise<void> {
  const packing = 'Packing the transparent pages…';
  session.tell(packing);
  const saved = await saveFile(session, kind, () => session.engine.animation({ kind, side: stickerSide }));
  if (saved) {
    saved.isSaved.value = true;
    session.tell(`The ${kind.toUpperCase()} is ready.`);
  } else if (session.note.value === packing) session.note.value = '';
}

/** Files are named after the clip that was there when they were asked for. @returns it; undefined where no file was made, which is told */
async function saveFile(session: Session, ending: string, make: () => Promise<Blob>): Promise<Clip | undefined> {
  const clip = session.clip.value;
  if (!clip) return undefined;
  const name = fileName(clip.title, clip.options.seed, ending);
  try {
    const address = URL.createObjectURL(await make());
    save(address, name);
    releaseLater(address);
    return clip;
  } catch (error) {
    session.report(error);
    return undefined;
  }
}

async function copyLink(session: Session): Promise<void> {
  const link = session.link();
  if (!link) {
    session.tell('A link needs correct settings first: see the messages at the controls.');
    return;
  }
  history.replaceState(null, '', link);
  const clip = session.clip.value;
  const isOfAnother =
    clip !== undefined &&
    encodeLink({ ...clip.options, background: session.background.value }) !== new URL(link, location.href).hash;
  const isNamed = decodeLink(new URL(link).hash).picture !== undefined;
  const isMadeHere = session.start.picture.value?.file !== undefined;
  const what = isMadeHere ? 'press “Save it” there, and send it along' : 'the same clip needs that, too';
  const remarks = [
    isOfAnother ? 'It holds the settings in the form, which are not those of the clip shown.' : '',
    isNamed ? `It does not hold the start picture: ${what}.` : '',
  ].filter(Boolean);
  try {
    await navigator.clipboard.writeText(link);
    const all = 'Link copied: it brings these settings anywhere, and so the same clip.';
    session.tell(remarks.length > 0 ? ['Link copied.', ...remarks].join(' ') : all);
  } catch {
    session.tell(['Copying is not allowed here; the address bar now holds the link.', ...remarks].join(' '));
  }
}
