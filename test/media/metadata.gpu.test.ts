// Settings inside files: what is written comes back; what is damaged or hostile ends in a clear message.
// In the browser project because reading needs DOMParser.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FlipbookError } from '../../src/gpu/errors';
import { addXmpToPng, type ClipMetadata, readClipMetadata, xmpBox, xmpExtension } from '../../src/media/metadata';
import { toPng } from '../../src/media/pixels';
import { parseXmp, xmpPacket } from '../../src/media/xmp';
import { patches } from './art';
import { sampleMetadata } from './samples';

const ascii = (text: string) => new TextEncoder().encode(text);

function box(type: string, body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 + body.length);
  new DataView(bytes.buffer).setUint32(0, bytes.length);
  bytes.set(ascii(type), 4);
  bytes.set(body, 8);
  return bytes;
}

const ftyp = box('ftyp', ascii('isom0000'));
const mp4 = (...parts: Uint8Array<ArrayBuffer>[]) => new Blob([ftyp, box('mdat', new Uint8Array(100)), ...parts]);

/** Sub-blocks, and the zero that ends them. */
const subBlocks = (...texts: string[]) => Uint8Array.from([...texts.flatMap((t) => [t.length, ...ascii(t)]), 0]);
const comment = (...texts: string[]) => Uint8Array.of(0x21, 0xfe, ...subBlocks(...texts));
/** One red pixel, with a table of two colours, and what may come before it. */
const gif = (...extensions: Uint8Array<ArrayBuffer>[]) =>
  new Blob([
    ascii('GIF89a'),
    Uint8Array.of(1, 0, 1, 0, 0xf0, 0, 0, 255, 0, 0, 0, 0, 0),
    ...extensions,
    Uint8Array.of(0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3b),
  ]);

async function message(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    (value) => expect.fail(`read ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(FlipbookError);
  expect((error as FlipbookError).code).toBe('input');
  return (error as FlipbookError).message;
}

/** Strings that XML 1.0 can hold. */
const text = fc
  .string({ unit: 'grapheme', maxLength: 200 })
  .map((value) => value.replace(/\p{Surrogate}/gu, '').replace(/[^\t\n\r\u0020-\uFFFD\u{10000}-\u{10FFFF}]/gu, ''));
const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const metadata: fc.Arbitrary<ClipMetadata> = fc.record({
  prompt: fc.oneof(
    text,
    fc.constantFrom('', ' ', '\r\n\t', ']]>', '<!DOCTYPE x>', '<![CDATA[', '&amp;', '</rdf:li>', '\u2028'),
  ),
  seed: count,
  steps: count,
  guidance: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  frames: count,
  sampler: text,
  background: text,
  model: text,
  modelHash: text,
  appVersion: text,
});

test('any settings come back from a file as they were', async () => {
  await fc.assert(
    fc.asyncProperty(metadata, async (given) => {
      expect(await readClipMetadata(mp4(xmpBox(given)))).toEqual(given);
    }),
    { numRuns: 300 },
  );
});

test('any settings come back from a PNG, which stays the same picture', async () => {
  const plain = await toPng(patches(16));
  await fc.assert(
    fc.asyncProperty(metadata, async (given) => {
      expect(await readClipMetadata(addXmpToPng(plain, given))).toEqual(given);
    }),
    { numRuns: 100 },
  );
  const image = await createImageBitmap(await toPng(patches(16), sampleMetadata));
  const context = new OffscreenCanvas(16, 16).getContext('2d')!;
  context.drawImage(image, 0, 0);
  expect(context.getImageData(0, 0, 16, 16).data).toEqual(patches(16).data);
});

test('any settings come back from a GIF, behind whatever else comes before its picture, which stays the same', async () => {
  const other = fc.array(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 255 }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(metadata, other, async (given, texts) => {
      expect(await readClipMetadata(gif(comment(...texts), xmpExtension(given), comment('x')))).toEqual(given);
    }),
    { numRuns: 100 },
  );
  const context = new OffscreenCanvas(1, 1).getContext('2d')!;
  context.drawImage(await createImageBitmap(gif(xmpExtension(sampleMetadata))), 0, 0);
  expect([...context.getImageData(0, 0, 1, 1).data]).toEqual([255, 0, 0, 255]);
});

test('to a program that knows no XMP it is one extension, whatever the packet ends with', () => {
  // The last character is taken for a length: up to 253 of what follows is skipped.
  const extension = xmpExtension(sampleMetadata);
  const trailer = extension.length - 258;
  for (let from = trailer - 256; from <= trailer; from++) {
    let at = from;
    while (at < extension.length && extension[at] !== 0) at += 1 + extension[at];
    expect(at, `from ${from}`).toBe(extension.length - 1);
  }
});

test('motion and the start picture are named where they were given, and nowhere else', async () => {
  const named = { ...sampleMetadata, motion: 1.25, picture: 'ab'.repeat(32), redraw: '4,4,8,8' };
  expect(parseXmp(xmpPacket(named))).toEqual(named);
  expect(xmpPacket(sampleMetadata)).not.toContain('picture');
});

test('what XML cannot hold becomes U+FFFD, and the rest stays', async () => {
  const prompt = 'a\u0000b\u001Bc\uD800d\uFFFEe';
  const read = await readClipMetadata(mp4(xmpBox({ ...sampleMetadata, prompt })));
  expect(read?.prompt).toBe('a\uFFFDb\uFFFDc\uFFFDd\uFFFDe');
});

test('the box comes after boxes with 64-bit sizes, and before one that runs to the end', async () => {
  const large = new Uint8Array(24);
  new DataView(large.buffer).setUint32(0, 1);
  large.set(ascii('mdat'), 4);
  new DataView(large.buffer).setBigUint64(8, 24n);
  const rest = box('free', new Uint8Array(9));
  new DataView(rest.buffer).setUint32(0, 0);
  expect(await readClipMetadata(new Blob([ftyp, large, xmpBox(sampleMetadata), rest]))).toEqual(sampleMetadata);
});

test('settings that another tool rewrote as attributes are read', () => {
  const attributes = Object.entries({ ...sampleMetadata, prompt: 'a cat' })
    .map(([name, value]) => `flipbook:${name}="${value}"`)
    .join(' ');
  const packet = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
    <rdf:Description rdf:about="" xmlns:flipbook="urn:flipbook:clip:1.0/" ${attributes}/></rdf:RDF></x:xmpmeta>`;
  expect(parseXmp(packet)).toEqual({ ...sampleMetadata, prompt: 'a cat' });
});

test('a PNG without settings has none; one that is cut off, or has too much, says so', async () => {
  const plain = await toPng(patches(16));
  expect(await readClipMetadata(plain)).toBeNull();
  const full = addXmpToPng(plain, sampleMetadata);
  expect(await message(readClipMetadata(full.slice(0, 500)))).toContain('PNG file is damaged');
  const large = addXmpToPng(plain, { ...sampleMetadata, prompt: 'x'.repeat(300_000) });
  expect(await message(readClipMetadata(large))).toContain('too large');
  const bytes = new Uint8Array(await full.arrayBuffer());
  bytes.fill(0xff, 100, 110);
  expect(await message(readClipMetadata(new Blob([bytes])))).toContain('UTF-8');
});

test('a GIF without settings, or with XMP that is not before its first picture, has none', async () => {
  expect(await readClipMetadata(gif())).toBeNull();
  expect(await readClipMetadata(gif(comment('a', 'b'), comment()))).toBeNull();
  expect(await readClipMetadata(new Blob([gif(), xmpExtension(sampleMetadata)]))).toBeNull();
  expect(await readClipMetadata(new Blob([ascii('GIF87a'), new Uint8Array(7), Uint8Array.of(0x2c)]))).toBeNull();
  // Nor is it looked for behind more than any settings of ours have.
  const long = new Array(2000).fill(comment('x'.repeat(255)));
  expect(await readClipMetadata(gif(...long, xmpExtension(sampleMetadata)))).toBeNull();
  expect(await readClipMetadata(gif(xmpExtension({ ...sampleMetadata, prompt: 'x'.repeat(400_000) })))).toBeNull();
});

test('an MP4 without settings, or with the XMP of someone else, has none', async () => {
  expect(await readClipMetadata(mp4())).toBeNull();
  expect(await readClipMetadata(mp4(box('uuid', new Uint8Array(40))))).toBeNull();
  expect(parseXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>')).toBeNull();
});

const packet = xmpPacket(sampleMetadata);
const swap = (from: string, to: string) => {
  expect(packet).toContain(from);
  return packet.replace(from, to);
};
const withPacket = (xml: string) => {
  const clean = xmpBox(sampleMetadata);
  return mp4(box('uuid', Uint8Array.from([...clean.subarray(8, 24), ...ascii(xml)])));
};

test.for([
  ['empty', () => new Blob([]), 'not an MP4, PNG or GIF'],
  ['a text file', () => new Blob(['just some text, long enough to have a header']), 'not an MP4, PNG or GIF'],
  ['cut off', () => mp4(xmpBox(sampleMetadata)).slice(0, -5), 'wrong size'],
  ['a box of size 3', () => new Blob([ftyp, Uint8Array.of(0, 0, 0, 3, 102, 114, 101, 101)]), 'wrong size'],
  ['a huge packet', () => withPacket(`${packet}${' '.repeat(300_000)}`), 'too large'],
  [
    'not UTF-8',
    () => mp4(box('uuid', Uint8Array.from([...xmpBox(sampleMetadata).subarray(8, 24), 0xff, 0xfe, 0x80]))),
    'UTF-8',
  ],
  ['not XML', () => withPacket('{"prompt": "a cat"}'), 'well-formed'],
  ['entities', () => withPacket(`<!DOCTYPE a [<!ENTITY b "c">]>${packet}`), 'not ours'],
  ['a seed that is text', () => withPacket(swap('>9007199254740991<', '>seven<')), 'seed is "seven"'],
  ['a seed beyond 2^53', () => withPacket(swap('>9007199254740991<', '>9007199254740993<')), 'seed is'],
  ['half a step', () => withPacket(swap('steps>8<', 'steps>0.5<')), 'steps is "0.5"'],
  ['negative frames', () => withPacket(swap('frames>36<', 'frames>-36<')), 'frames is "-36"'],
  ['hexadecimal', () => withPacket(swap('frames>36<', 'frames>0x24<')), 'frames is "0x24"'],
  ['infinite guidance', () => withPacket(swap('guidance>4.5<', 'guidance>1e999<')), 'guidance is'],
  ['no sampler', () => withPacket(swap('<flipbook:sampler>flow-euler</flipbook:sampler>', '')), 'sampler is missing'],
  [
    'two seeds',
    () => withPacket(swap('<flipbook:seed>', '<flipbook:seed>1</flipbook:seed><flipbook:seed>')),
    'seed is there twice',
  ],
  ['a prompt with markup', () => withPacket(swap('<flipbook:prompt>', '<flipbook:prompt><b/>')), 'prompt is missing'],
  ['an endless model name', () => withPacket(swap('sticker 0.1.0', 'x'.repeat(30_000))), 'model is too long'],
  ['a GIF that is only that', () => new Blob([ascii('GIF89a')]), 'GIF file is damaged'],
  ['a GIF cut off in its colours', () => gif().slice(0, 15), 'GIF file is damaged'],
  ['a GIF cut off in an extension', () => gif(xmpExtension(sampleMetadata)).slice(0, 900), 'GIF file is damaged'],
  ['a GIF cut off after an extension', () => gif(comment('x')).slice(0, 24), 'GIF file is damaged'],
  [
    'a GIF whose packet has no end of its own',
    () => gif(Uint8Array.of(0x21, 0xff, 11, ...ascii('XMP DataXMP'), ...subBlocks(packet.slice(0, 200)))),
    'GIF file is damaged',
  ],
  ['a huge packet in a GIF', () => gif(xmpExtension({ ...sampleMetadata, prompt: 'x'.repeat(140_000) })), 'too large'],
] as const)('%s: a clear message', async ([, make, words]) => {
  expect(await message(readClipMetadata(make()))).toContain(words);
});

test('a GIF that is cut off anywhere in its settings says so, or that it is none', async () => {
  const extension = xmpExtension(sampleMetadata);
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 19 + extension.length - 1 }), async (size) => {
      const told = await message(readClipMetadata(gif(extension).slice(0, size)));
      expect(told).toContain(size < 4 ? 'not an MP4, PNG or GIF' : 'GIF file is damaged');
    }),
    { numRuns: 100 },
  );
});

test.for(['MP4', 'PNG', 'GIF'])('noise in an %s never throws anything else', async (kind) => {
  const png = await toPng(patches(16), sampleMetadata);
  const file = { MP4: mp4(xmpBox(sampleMetadata)), PNG: png, GIF: gif(xmpExtension(sampleMetadata)) }[kind]!;
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 2000 }), async (noise, at) => {
      const bytes = new Uint8Array(await file.arrayBuffer());
      bytes.set(noise.subarray(0, Math.max(0, bytes.length - (at % bytes.length))), at % bytes.length);
      const result = await readClipMetadata(new Blob([bytes])).catch((error: unknown) => error);
      if (result instanceof Error) expect(result).toBeInstanceOf(FlipbookError);
    }),
    { numRuns: 300 },
  );
});
