// Files that reach the page: dropped, pasted or chosen. A clip that somebody made with Flipbook brings its settings back,
// any other picture becomes the start picture. No file is trusted: what a clip says goes into the form as text and through
// the same validation as typing, and what a picture holds is the browser's to decode.
import { failureOf } from '../protocol';
import { settingsOf } from './clip-store';
import type { Session } from './session';

/** Takes the only one of `files`. Which of several is meant is not guessed: that is told. @param asPicture as `receiveFile` */
export async function receiveFiles(session: Session, files: readonly File[], asPicture = false): Promise<void> {
  const [file, ...others] = files;
  if (others.length > 0) {
    const words = `${files.length} files at once: use the one that you want by itself.`;
    if (asPicture) session.start.refuse(words);
    else session.tell(words);
  } else if (file) await receiveFile(session, file, asPicture);
}

/** @param asPicture it was put on the start picture's control: then it is never read as settings */
export async function receiveFile(session: Session, file: File, asPicture = false): Promise<void> {
  if (asPicture) return session.usePicture(file);
  const name = `“${file.name.slice(0, 60)}”`;
  const isPicture = file.type.startsWith('image/');
  try {
    const found = await settingsOf(file);
    if (Object.keys(found).length > 0) session.restore(found, name);
    else if (isPicture) await session.usePicture(file);
    else
      session.tell(`${name} holds no Flipbook settings. Drop an MP4 that this page made, or a picture to start from.`);
  } catch (error) {
    if (isPicture) await session.usePicture(file);
    else if (file.type.startsWith('video/')) session.tell(`${name}: ${failureOf(error).message}`);
    else session.tell(`${name} is neither a picture nor a clip that this page made, unchanged.`);
  }
}

/** The pictures among what is pasted, unless they come along with text that a text field wants. */
export function pastedPictures(event: ClipboardEvent): readonly File[] {
  const files = [...(event.clipboardData?.files ?? [])];
  const isTyping = event.target instanceof HTMLElement && event.target.matches('textarea, input[type=text]');
  if (isTyping && event.clipboardData?.types.includes('text/plain')) return [];
  return files.filter(({ type }) => type.startsWith('image/'));
}
