// The clips of this visit before the last one: each can still be saved, and gives its settings back. They end with the page.
import { toRaw } from '../options';
import { DownloadIcon } from './icons';
import { fileName, save } from './save';
import { type Clip, type Session, shelfSize } from './session';

/** Nothing before there is a second clip. */
export function Shelf({ session }: { session: Session }) {
  const clips = session.earlier.value;
  if (clips.length === 0) return null;
  return (
    <section class="shelf" aria-label="Earlier clips">
      <h2>Earlier clips</h2>
      <p class="help">The last {shelfSize} stay here until you leave the page.</p>
      <ul>
        {clips.map((clip) => (
          <Earlier key={clip.address} session={session} clip={clip} />
        ))}
      </ul>
    </section>
  );
}

function Earlier({ session, clip }: { session: Session; clip: Clip }) {
  const { address, title, options } = clip;
  const useSettings = () => {
    const { picture } = options;
    session.restore({ ...toRaw(options), ...(picture && { picture }) }, `the earlier clip “${title}”`);
  };
  return (
    <li>
      {address && (
        <video
          src={address}
          muted
          loop
          playsInline
          preload="auto"
          aria-label={title}
          onPointerEnter={({ currentTarget }) => void currentTarget.play().catch(() => undefined)}
          onPointerLeave={({ currentTarget }) => currentTarget.pause()}
        />
      )}
      <p>
        <q title={title}>{title}</q> <span>seed {options.seed}</span>
      </p>
      {address && (
        <button type="button" class="quiet" onClick={() => save(address, fileName(clip, 'mp4'))}>
          <DownloadIcon /> MP4 <span class="sr">of the earlier clip “{title}”</span>
        </button>
      )}
      <button type="button" class="quiet" onClick={useSettings}>
        Use its settings <span class="sr">: “{title}”</span>
      </button>
    </li>
  );
}
