// The form's last row: the buttons that start and end a clip, what to expect of one, and the way back from what took the form's
// place. What the buttons do is begin.ts's and session.ts's.
import { useEffect, useRef } from 'preact/hooks';
import { encoderBytes, modelBytes } from '../options';
import { PencilIcon, StopIcon } from './icons';
import { isUnable } from './messages';
import type { Session } from './session';
import { about, capital, sizeInWords } from './words';

export function GenerateRow({ session }: { session: Session }) {
  const progress = session.progress.value;
  const working = progress !== undefined;
  const resting = session.isResting.value;
  return (
    <div class="go">
      <button
        type="submit"
        class="generate"
        aria-disabled={working || resting}
        aria-keyshortcuts="Control+Enter Meta+Enter"
      >
        <PencilIcon /> Generate
      </button>
      {(working || resting) && (
        <button
          type="button"
          class="cancel"
          aria-disabled={resting || progress?.isCancelling === true}
          aria-keyshortcuts="Escape"
          onClick={() => session.cancel()}
        >
          <StopIcon /> Cancel
        </button>
      )}
      <p class={`help ${session.adapter.value?.isSoftware ? 'long' : ''}`}>
        {working ? meanwhile(session) : expectation(session)}
      </p>
      <Replaced session={session} />
    </div>
  );
}

/** What last took the place of something in the form, with the way back. */
function Replaced({ session }: { session: Session }) {
  const replaced = session.replaced.value;
  const line = useRef<HTMLParagraphElement>(null);
  const first = useRef(replaced);
  useEffect(() => {
    // It may have been asked for anywhere on the page; what the page begins with can wait to be scrolled to.
    if (replaced !== first.current) line.current?.scrollIntoView({ block: 'nearest' });
  }, [replaced]);
  if (!replaced) return null;
  return (
    <p ref={line} class="note">
      {replaced.words}{' '}
      <button type="button" class="plain" onClick={replaced.takeBack}>
        Undo
      </button>
    </p>
  );
}

function meanwhile(session: Session) {
  return (
    <>
      <span class="keys">Escape cancels. </span>
      {session.clip.value &&
        session.progress.value?.part !== 'again' &&
        'Your last clip stays until the new one is finished.'}
    </>
  );
}

function expectation(session: Session) {
  const adapter = session.adapter.value;
  const seconds = session.estimate.value;
  const bytes = modelBytes + (session.start.picture.value ? encoderBytes : 0);
  const isReady = Object.keys(session.errors.value).length === 0 && !isUnable(session.failure.value);
  const isFirst = seconds === undefined && !session.isModelLoaded.value && isReady;
  return (
    <>
      {isFirst && `The first clip fetches the model, ${sizeInWords(bytes)}, once. `}
      {seconds !== undefined && `${capital(about(seconds))} here. `}
      {adapter?.isSoftware &&
        'This browser draws without a graphics chip, which is slow: fewer frames and steps help. '}
      <span class="keys">Enter does the same.</span>
    </>
  );
}
