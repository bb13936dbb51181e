// Files that reach the page: dropped, pasted or chosen. A clip that somebody made with Flipbook brings its settings back,
// any other picture becomes the start picture. No file is trusted: what a clip says goes into the form as text and through
// the same validation as typing, and what a picture holds is the browser's to decode.
import type { Restored } from '../options';
import { failureOf } from '../protocol';
import { settingsOf } from './clip-store';
import type { Session } from './session';

/** Where the page says what came of a file: at the start picture's control, or in a note below the book. */
export type Answer = 'control' | 'note';

const noSettings = 'holds no Flipbook settings';
const isPicture = ({ type }: File) => type.startsWith('image/');

/** Takes the only one of `files`. Which of several is meant is not guessed: that is told. @param asPicture as `receiveFile` */
export async function receiveFiles(session: Session, files: readonly File[], asPicture = false): Promise<Answer> {
  const [file, ...others] = files;
  if (file && others.length === 0) return receiveFile(session, file, asPicture);
  const words = `${files.length} files at once: use the one that you want by itself.`;
  if (asPicture) session.start.refuse(words);
  else session.tell(words);
  return asPicture ? 'control' : 'note';
}

/** @param asPicture it was put on the start picture's control: then it is never read as settings */
export async function receiveFile(session: Session, file: File, asPicture = false): Promise<Answer> {
  if (asPicture) {
    await session.usePicture(file);
    return 'control';
  }
  const name = `“${file.name.slice(0, 60)}”`;
  let found: Restored;
  try {
    found = await settingsOf(file);
  } catch (error) {
    const why = `${name}: ${failureOf(error).message}`;
    const mayHaveSettings = /^image\/(a?png|gif)$/.test(file.type); // Other kinds of pictures have none to be damaged.
    if (isPicture(file)) return startFrom(session, file, mayHaveSettings ? why : `${name} ${noSettings}.`);
    const isVideo = file.type.startsWith('video/');
    session.tell(isVideo ? why : `${name} is neither a picture nor a clip that this page made, unchanged.`);
    return 'note';
  }
  if (Object.keys(found).length > 0) session.restore(found, name);
  else if (isPicture(file)) return startFrom(session, file, `${name} ${noSettings}.`);
  else session.tell(`${name} ${noSettings}. Drop an MP4 that this page made, or a picture to start from.`);
  return 'note';
}

/** A picture that brought no settings, where some may have been expected. @param why it did not */
async function startFrom(session: Session, file: File, why: string): Promise<Answer> {
  const outcome = await session.usePicture(file);
  if (outcome !== 'taken') return 'control';
  session.tell(`${why} It is the start picture now.`);
  return 'note';
}

/** Brings it into view: files are dropped, pasted and chosen anywhere on the page. */
export function showAnswer(answer: Answer): void {
  const selector = { control: '.control.picture', note: '.stage .note' }[answer];
  requestAnimationFrame(() => document.querySelector(selector)?.scrollIntoView({ block: 'nearest' }));
}

/** The pictures among what is pasted, unless they come along with text that a text field wants. */
export function pastedPictures(event: ClipboardEvent): readonly File[] {
  const files = [...(event.clipboardData?.files ?? [])];
  const isTyping = event.target instanceof HTMLElement && event.target.matches('textarea, input[type=text]');
  if (isTyping && event.clipboardData?.types.includes('text/plain')) return [];
  return files.filter(({ type }) => type.startsWith('image/'));
}
