// The small print: what runs, on what, what is stored here and how to be rid of it, and where a clip's settings come back from.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { modelDescription } from '../options';
import { storeChanges } from './clip-store';
import { storedClips } from './earlier';
import { receiveFile, showAnswer } from './files';
import type { Clip } from './finished';
import { OpenIcon } from './icons';
import type { Session } from './session';
import { keepStorage } from './settings';
import { sizeInWords } from './words';

export function Footer({ session }: { session: Session }) {
  const adapter = session.adapter.value;
  return (
    <footer>
      <p>
        <strong>What it can do.</strong> {modelDescription}{' '}
        <a href="model-card.html" target="_blank" rel="noopener">
          Model card
        </a>
        ,{' '}
        <a href="licences.txt" target="_blank" rel="noopener">
          licences of its parts
        </a>
        .
      </p>
      <p>
        <strong>What it runs on.</strong>{' '}
        {adapter
          ? `${adapter.name}${adapter.isSoftware ? ', a software renderer' : ''}, through WebGPU.`
          : 'No graphics adapter at the moment.'}
      </p>
      <Stored session={session} />
      <OpenClip session={session} />
    </footer>
  );
}

function Stored({ session }: { session: Session }) {
  const usage = useSignal<number | undefined>(undefined);
  const isKept = useSignal(false);
  const clip = session.clip.value;
  const changes = storeChanges.value;
  const isCleared = session.earlier.isCleared.value;
  const working = session.progress.value !== undefined;
  const why = clip && whyNotStored(clip, isCleared);
  const all = `settings and start picture, your last ${storedClips} clips with theirs, this machine’s speed`;
  const refresh = async () => {
    usage.value = (await navigator.storage?.estimate?.().catch(() => undefined))?.usage;
    isKept.value = await keepStorage(clip !== undefined && !isCleared);
  };
  useEffect(() => {
    void refresh();
  }, [changes, clip?.stats]); // A clip without an MP4 is not stored, but its model is.
  const clear = async () => {
    if (!confirm(`Remove your ${all}, the page and the model from this browser?`)) return;
    await session.clearStored();
    await refresh();
  };
  return (
    <p>
      <strong>What is stored here.</strong> Your {all}, the page and the model once it is downloaded
      {!usage.value ? '' : ` (${sizeInWords(usage.value)} now)`}. {why && `Your last clip is not stored: ${why}. `}The
      browser{' '}
      {isKept.value ? 'keeps it until you clear it' : 'may clear it when space is short or after days without a visit'}.
      Save the clips that you want to be sure of.{' '}
      <button type="button" class="plain" aria-disabled={working} onClick={() => working || void clear()}>
        Clear it
      </button>
      {isCleared && ' Cleared: what this page has in memory stays until you leave it.'}
    </p>
  );
}

/** Nothing where it is stored, or may be soon, and where the visitor has just cleared it away. */
function whyNotStored({ address, entry }: Clip, isCleared: boolean): string | undefined {
  if (address === null) return 'it has no MP4';
  if (isCleared || entry.value !== null) return undefined;
  return 'the browser did not take it, or it was removed since';
}

function OpenClip({ session }: { session: Session }) {
  return (
    <p>
      <strong>Settings travel in the file.</strong> Drop a clip made here anywhere on the page (MP4, APNG, GIF or PNG),
      or{' '}
      <label class="plain file">
        <OpenIcon />
        open one
        <input
          type="file"
          accept="video/mp4,.mp4,image/png,.png,.apng,image/gif,.gif"
          onChange={(event) => {
            const input = event.currentTarget;
            const file = input.files?.[0];
            if (file) void receiveFile(session, file).then(showAnswer);
            input.value = '';
          }}
        />
      </label>
      , to get its settings back.
    </p>
  );
}
