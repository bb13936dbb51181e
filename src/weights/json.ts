// Reads a JSON object from a file that may be gzipped. Not model.json, which comes as it is (store.ts).
import { FlipbookError } from '../gpu/errors';

/**
 * The object in `buffer`. Gzip is known by its first bytes.
 * @param file its name, for errors
 * @throws FlipbookError 'weights' where the file is neither
 */
export async function readJson(buffer: ArrayBuffer, file: string): Promise<object> {
  const [first, second] = new Uint8Array(buffer, 0, Math.min(2, buffer.byteLength));
  const gzipped = first === 0x1f && second === 0x8b;
  try {
    const plain = gzipped ? new Blob([buffer]).stream().pipeThrough(new DecompressionStream('gzip')) : buffer;
    const json: unknown = await new Response(plain).json();
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json;
  } catch (cause) {
    throw new FlipbookError('weights', `${file} is not JSON${gzipped ? ' in gzip' : ''}: ${cause}`, { cause });
  }
  throw new FlipbookError('weights', `${file} is not a JSON object`);
}
