// The stage: the book with the canvas, and progress or a message of what went wrong. It draws no frame itself, and what can be done
// with a finished clip is transport.tsx's.
import { useEffect, useRef } from 'preact/hooks';
import type { GenerateOptions } from '../options';
import { whole } from '../redraw';
import { begin } from './begin';
import type { Clip } from './finished';
import { EmptyDrawing } from './icons';
import { explain, isUnable, surroundings } from './messages';
import { pageInWords } from './pages';
import { type Progress, percent, timeLeft } from './progress';
import { atFirstFrame } from './save';
import type { Session } from './session';
import { Transport } from './transport';

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
  // What the canvas shows then is nothing, or what is left of a clip that was cancelled.
  const isGone = session.isClipLost.value && !hasDrawn;
  const kept = isGone ? clip?.address : undefined;
  const isEmpty = (!clip && !hasDrawn) || (isGone && !kept);
  const page = session.page.value;
  const folio = clip && page !== undefined ? pageInWords(page, clip) : '';
  const shown = clip ? `Clip: ${clip.title}${folio && `. ${folio}`}` : 'Empty page';
  const label = hasDrawn ? 'Preview of the clip in the making' : shown;
  return (
    <div class="book">
      <div class={`leaf ${isEmpty ? 'blank' : ''}`} style={{ '--paper-color': session.background.value }}>
        <div ref={screen} class="screen" role="img" aria-label={label} hidden={isGone} />
        {kept && <KeptVideo address={kept} label={label} playing={session.playing.value} />}
        {isEmpty && <Empty session={session} />}
      </div>
      <div class="caption">
        {progress ? <ProgressStrip progress={progress} /> : <Caption clip={clip} folio={folio} />}
      </div>
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

function emptyWords(session: Session): readonly [lead: string, more: string] {
  const { progress, clip, failure, borrowed, isOfOtherModel, errors, start } = session;
  if (progress.value) return ['Sharpening the pencils…', 'The first picture appears in a moment.'];
  if (isUnable(failure.value)) return ['A blank page.', 'This browser cannot draw yet: the message above says why.'];
  if (clip.value) return ['A blank page.', 'The frames of this clip are lost, and it had no MP4.'];
  if (borrowed.value && !start.missing.value && Object.keys(errors.value).length === 0) {
    return isOfOtherModel.value
      ? ['Settings by link.', 'Press Generate: this model draws its own clip with them.']
      : ['A clip by link.', 'Press Generate: its settings are all here, and draw it on your machine.'];
  }
  return ['A blank page.', 'Describe a sticker and press Generate: it comes out of pure noise, and moves.'];
}

/** @param folio which page is shown, where it stays */
function Caption({ clip, folio }: { clip: Clip | undefined; folio: string }) {
  if (!clip) return <span>Page 1</span>;
  const { seed, steps } = clip.options;
  return (
    <>
      <q title={clip.title}>{clip.title}</q>
      <span>
        {folio && `${folio} · `}seed {seed} · {steps} {steps === 1 ? 'step' : 'steps'} · {origin(clip.options)}
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
  return <video ref={video} class="screen" src={atFirstFrame(address)} aria-label={label} muted loop playsInline />;
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

function Notice({ session }: { session: Session }) {
  const failure = session.failure.value;
  const notice = useRef<HTMLElement>(null);
  // It is above the book, which may be all that is in view. What the page meets on its way in can wait to be scrolled to.
  const isAsked = useRef(false);
  isAsked.current ||= session.progress.value !== undefined || failure?.ofRun === false;
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
