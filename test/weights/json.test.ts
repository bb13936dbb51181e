// JSON files as they are or gzipped, and broken ones.
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FlipbookError } from '../../src/gpu/errors';
import { readJson } from '../../src/weights/json';

const text = JSON.stringify({ model: { vocab: { zoë: 1 } } });
const buffer = (data: Uint8Array) => new Uint8Array(data).buffer;
const plain = buffer(new TextEncoder().encode(text));
const packed = buffer(gzipSync(text));

describe('a JSON file', () => {
  it('is read as it is, and unpacked from gzip', async () => {
    expect(await readJson(plain, 'a.json')).toEqual(JSON.parse(text));
    expect(await readJson(packed, 'a.json.gzip')).toEqual(JSON.parse(text));
  });

  it('is refused by name where it is cut off, something else or no object', async () => {
    const cut = readJson(packed.slice(0, -12), 'a.json.gzip');
    await expect(cut).rejects.toThrow(FlipbookError);
    await expect(cut).rejects.toThrow('a.json.gzip is not JSON in gzip');
    await expect(readJson(plain.slice(1), 'a.json')).rejects.toThrow('a.json is not JSON: ');
    await expect(readJson(new ArrayBuffer(0), 'a.json')).rejects.toThrow('a.json is not JSON');
    await expect(readJson(buffer(new TextEncoder().encode('[1]')), 'a.json')).rejects.toThrow('is not a JSON object');
  });
});
