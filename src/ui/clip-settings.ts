// Settings out of a clip that somebody made with Flipbook: dropped on the page or chosen. The file is not trusted: what it
// holds goes into the form as text and through the same validation as typing.
import { readClipMetadata } from '../media/metadata';
import { fields, type RawOptions } from '../options';
import { toFailure } from './messages';
import type { Session } from './session';

export async function readClipSettings(session: Session, file: File): Promise<void> {
  try {
    const found = await readClipMetadata(file);
    const raw: Partial<RawOptions> = {};
    for (const field of fields) {
      const value: unknown = found ? Reflect.get(found, field) : undefined;
      if (typeof value === 'string' || typeof value === 'number') raw[field] = String(value).slice(0, 20_000);
    }
    if (Object.keys(raw).length > 0) session.restore(raw, `“${file.name.slice(0, 60)}”`);
    else session.tell(`“${file.name.slice(0, 60)}” holds no Flipbook settings. Drop an MP4 that this page made.`);
  } catch (error) {
    session.tell(`“${file.name.slice(0, 60)}”: ${toFailure(error).message}`);
  }
}
