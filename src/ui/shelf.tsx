// The clips before the last one, of this visit and earlier ones: each can still be saved, and gives its settings back.
import { useRef } from 'preact/hooks';
import { type EarlierClip, storedClips } from './earlier';
import { DownloadIcon } from './icons';
import { atFirstFrame, fileName, save } from './save';
import type { Session } from './session';

const keptWords = `These stay in this browser while there is room, up to ${storedClips} with the one on the stage.`;
const notKeptWords = 'Those that are not stored are gone when you leave the page; the others stay while there is room.';

async function remove(session: Session, clip: EarlierClip): Promise<void> {
  if (!confirm(`Remove “${clip.title}”? Only files that you saved stay.`)) return;
  try {
    await session.earlier.remove(clip);
    session.tell(`“${clip.title}” is removed.`);
    // Its own button went away with it, and with the last one the whole shelf.
    const find = (selector: string) => document.querySelector<HTMLElement>(selector);
    (find('.shelf li button') ?? find('.go .generate'))?.focus();
  } catch (error) {
    session.report(error);
  }
}

/** Nothing while there is none. */
export function Shelf({ session }: { session: Session }) {
  const { clips, areKept } = session.earlier;
  if (clips.value.length === 0) return null;
  return (
    <section class="shelf" aria-label="Earlier clips">
      <h2>Earlier clips</h2>
      <p class="help">{areKept.value ? keptWords : notKeptWords}</p>
      <ul>
        {clips.value.map((clip) => (
          <Earlier key={clip.address} session={session} clip={clip} />
        ))}
      </ul>
    </section>
  );
}

function Earlier({ session, clip }: { session: Session; clip: EarlierClip }) {
  const { address, title, settings, picture, entry, isSaved } = clip;
  const video = useRef<HTMLVideoElement>(null);
  // Moves while it is pointed at, or a button of it has the keyboard; for who wants less motion, or only touches, when it is
  // asked to.
  const isCalm = matchMedia('(prefers-reduced-motion: reduce), (hover: none)').matches;
  const play = () => !isCalm && video.current?.play().catch(() => undefined);
  const pause = () => !isCalm && video.current?.pause();
  return (
    <li onPointerEnter={play} onFocusIn={play} onPointerLeave={pause} onFocusOut={pause}>
      {address && (
        <video
          ref={video}
          src={atFirstFrame(address)}
          muted
          loop
          playsInline
          preload="auto"
          aria-label={title}
          controls={isCalm}
        />
      )}
      <p>
        <q title={title}>{title}</q> <span>seed {settings.seed}</span>
        {entry.value === null && <span> (not stored)</span>}
      </p>
      {address && (
        <button
          type="button"
          class="quiet"
          onClick={() => {
            save(address, fileName(title, settings.seed, 'mp4'));
            isSaved.value = true;
          }}
        >
          <DownloadIcon /> MP4 <span class="sr">of the earlier clip “{title}”</span>
        </button>
      )}
      <button
        type="button"
        class="quiet"
        onClick={() => session.restore(settings, `the earlier clip “${title}”`, picture)}
      >
        Use its settings <span class="sr">: “{title}”</span>
      </button>
      <button type="button" class="plain" onClick={() => void remove(session, clip)}>
        Remove <span class="sr">the earlier clip “{title}”</span>
      </button>
    </li>
  );
}
