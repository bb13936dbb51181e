// The stage: the book with the canvas, progress, and what can be done with a finished clip. It draws no frame itself.
import { useEffect, useRef } from 'preact/hooks';
import { encodeLink, type GenerateOptions } from '../options';
import { whole } from '../redraw';
import { begin } from './begin';
import { sizeInWords } from './estimate';
import type { Clip } from './finished';
import { DownloadIcon, EmptyDrawing, KeepIcon, LinkIcon, PauseIcon, PictureIcon, PlayIcon } from './icons';
import { explain, isUnable, surroundings } from './messages';
import { type Progress, percent, timeLeft } from './progress';
import { fileName, releaseLater, save } from './save';
import type { Session } from './session';

export function Stage({ session }: { session: Session }) {
  return (
    <section class="stage" aria-label="Stage">
      <div class="pinned">
        <Notice session={session} />
        <Book session={session} />
        <Transport session={session} />
        {session.note.value && <p class="note">{session.note.value}</p>}
      </div>
      <p class="sr" role="status" aria-live="polite">
        {session.announcement.value}
      </p>
    </section>
  );
}

function Book({ session }: { session: Session }) {
  const screen = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (screen.current) void session.attach(screen.current);
  }, [session]);
  const clip = session.clip.value;
  const progress = session.progress.value;
  const hasDrawn = progress?.part === 'picture' || progress?.part === 'clip' || progress?.part === 'frames';
  const isEmpty = !clip && !hasDrawn;
  const isNew = progress && progress.part !== 'again';
  const label = isNew ? 'Preview of the clip in the making' : clip ? `Clip: ${clip.title}` : 'Empty page';
  // The canvas has nothing to show until another clip is on its way.
  const kept = session.isClipLost.value && !hasDrawn ? clip?.address : undefined;
  return (
    <div class="book">
      <div class={`leaf ${isEmpty ? 'blank' : ''}`} style={{ '--paper-colour': session.background.value }}>
        <div ref={screen} class="screen" role="img" aria-label={label} hidden={Boolean(kept)} />
        {kept && <KeptVideo address={kept} label={label} playing={session.playing.value} />}
        {isEmpty && <Empty session={session} />}
      </div>
      <div class="caption">{progress ? <ProgressStrip progress={progress} /> : <Caption clip={clip} />}</div>
    </div>
  );
}

/** The page before the first picture is on it. */
function Empty({ session }: { session: Session }) {
  const [lead, more] = emptyWords(session);
  return (
    <div class="empty">
      <EmptyDrawing />
      <p class="lead">{lead}</p>
      <p>{more}</p>
    </div>
  );
}

function emptyWords({ progress, failure, borrowed, start }: Session): readonly [lead: string, more: string] {
  if (progress.value) return ['Sharpening the pencils…', 'The first picture appears in a moment.'];
  if (isUnable(failure.value)) return ['A blank page.', 'This browser cannot draw yet: the message above says why.'];
  if (borrowed.value && !start.missing.value)
    return ['A clip by link.', 'Press Generate: its settings are all here, and draw it on your machine.'];
  return ['A blank page.', 'Describe a sticker and press Generate: it comes out of pure noise, and moves.'];
}

function Caption({ clip }: { clip: Clip | undefined }) {
  if (!clip) return <span>Page 1</span>;
  const { seed, steps } = clip.options;
  return (
    <>
      <q title={clip.title}>{clip.title}</q>
      <span>
        seed {seed} · {steps} {steps === 1 ? 'step' : 'steps'} · {origin(clip.options)}
        {clip.stats.seconds.total.toFixed(1)} s
      </span>
    </>
  );
}

/** In place of frames that are lost. */
function KeptVideo({ address, label, playing }: { address: string; label: string; playing: boolean }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (playing) void video.current?.play().catch(() => undefined);
    else video.current?.pause();
  }, [playing, address]);
  return <video ref={video} class="screen" src={address} aria-label={label} muted loop playsInline />;
}

/** Where it came from, beside the prompt. */
function origin({ picture, prompt, redraw }: GenerateOptions): string {
  if (redraw === whole) return 'from a sketch · ';
  if (redraw) return 'a part redrawn · ';
  return picture && prompt ? 'from a picture · ' : '';
}

function ProgressStrip({ progress }: { progress: Progress }) {
  const done = percent(progress);
  const left = timeLeft(progress);
  return (
    <div class="progress">
      <div
        class="strip"
        role="progressbar"
        aria-label="Progress"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={done}
        aria-valuetext={[`${done}%`, progress.words, left].filter(Boolean).join(', ')}
      >
        <div class="turned" style={{ width: `${(progress.fraction * 100).toFixed(1)}%` }} />
      </div>
      <p>
        <strong>{done}%</strong> <span class="words">{progress.words}</span> <span class="left">{left}</span>
      </p>
    </div>
  );
}

function Transport({ session }: { session: Session }) {
  const clip = session.clip.value;
  const playing = session.playing.value;
  // A button that had the keyboard keeps it while a clip is in the making.
  const working = session.progress.value !== undefined;
  const ofFrames = (act: () => Promise<void>) => ({
    disabled: !clip || session.isClipLost.value,
    'aria-disabled': working,
    onClick: () => void (working || act()),
  });
  const saveMp4 = () => saveVideo(session);
  /** One file of a clip, however often it is asked for. */
  const packing = useRef<Promise<void> | undefined>(undefined);
  const pack = async () => {
    packing.current ??= saveAnimation(session).finally(() => {
      packing.current = undefined;
    });
  };
  return (
    <div class="transport">
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
      <button type="button" class="quiet" {...ofFrames(() => savePicture(session))}>
        <PictureIcon /> Save PNG
      </button>
      <button
        type="button"
        class="quiet"
        title="Start the next clip from this one’s first page"
        {...ofFrames(() => session.keepPicture())}
      >
        <KeepIcon /> Start from page 1
      </button>
      <button type="button" class="quiet" onClick={() => void copyLink(session)}>
        <LinkIcon /> Copy link
      </button>
      <button type="button" class="download" {...(clip?.address ? { onClick: saveMp4 } : ofFrames(saveMp4))}>
        <DownloadIcon /> Download MP4
        {clip?.video && clip.options.background === session.background.value && (
          <small>{sizeInWords(clip.video.size)}</small>
        )}
      </button>
      <button
        type="button"
        class="quiet sticker"
        title="A looping PNG without the paper, for chats and web pages"
        {...ofFrames(pack)}
      >
        <DownloadIcon /> Download APNG <small>transparent</small>
      </button>
    </div>
  );
}

function Notice({ session }: { session: Session }) {
  const failure = session.failure.value;
  const notice = useRef<HTMLElement>(null);
  // It is above the book, which may be all that is in view. What the page meets on its way in can wait to be scrolled to.
  const isAsked = useRef(false);
  isAsked.current ||= session.progress.value !== undefined;
  useEffect(() => {
    if (isAsked.current) notice.current?.scrollIntoView({ block: 'nearest' });
  }, [failure]);
  if (!failure) return null;
  const { title, body, advice, retry } = explain(failure, surroundings());
  return (
    <section ref={notice} class="notice" aria-label="Message" data-code={failure.code}>
      <h2>{title}</h2>
      <p>{body}</p>
      {advice && <p class="advice">{advice}</p>}
      <p class="actions">
        {retry && failure.ofRun && (
          <button
            type="button"
            class="quiet"
            onClick={() => {
              focusGenerate();
              begin(session);
            }}
          >
            Try again
          </button>
        )}
        <button
          type="button"
          class="quiet"
          onClick={() => {
            focusGenerate();
            session.failure.value = undefined;
          }}
        >
          Dismiss
        </button>
      </p>
    </section>
  );
}

/** Before a button goes away: the keyboard stays where the next action is. */
export function focusGenerate(): void {
  document.querySelector<HTMLElement>('.go .generate')?.focus({ preventScroll: true });
}

async function saveVideo(session: Session): Promise<void> {
  const clip = await session.recorded();
  if (clip?.address) save(clip.address, fileName(clip.title, clip.options.seed, 'mp4'));
}

async function savePicture(session: Session): Promise<void> {
  await saveFile(session, 'png', () => session.engine.still());
}

/** Pixels of a side of the animation: chats show stickers about this large. */
const stickerSide = 256;

async function saveAnimation(session: Session): Promise<void> {
  const packing = 'Packing the transparent pages…';
  session.tell(packing);
  const isSaved = await saveFile(session, 'apng', () => session.engine.animation(stickerSide));
  if (isSaved) session.tell('The APNG is ready.');
  else if (session.note.value === packing) session.note.value = '';
}

/** Files are named after the clip that was there when they were asked for. @returns whether it was made; if not, that is told */
async function saveFile(session: Session, ending: string, make: () => Promise<Blob>): Promise<boolean> {
  const clip = session.clip.value;
  if (!clip) return false;
  const name = fileName(clip.title, clip.options.seed, ending);
  try {
    const address = URL.createObjectURL(await make());
    save(address, name);
    releaseLater(address);
    return true;
  } catch (error) {
    session.report(error);
    return false;
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
  const remarks = [
    isOfAnother ? 'It holds the settings in the form, which are not those of the clip shown.' : '',
    session.start.picture.value ? 'It does not hold the start picture: the same clip needs that, too.' : '',
  ].filter(Boolean);
  try {
    await navigator.clipboard.writeText(link);
    const all = 'Link copied: it brings these settings anywhere, and so the same clip.';
    session.tell(remarks.length > 0 ? ['Link copied.', ...remarks].join(' ') : all);
  } catch {
    session.tell(['Copying is not allowed here; the address bar now holds the link.', ...remarks].join(' '));
  }
}
