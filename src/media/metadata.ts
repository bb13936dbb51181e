// How a clip was made, inside its file: XMP in a top-level `uuid` box of an MP4, written and read back.
// It judges no option: what it reads has the right types, not necessarily values that this version accepts.
import { FlipbookError } from '../gpu/errors';

/** Everything that makes the same clip again. */
export interface ClipMetadata {
  readonly prompt: string;
  readonly seed: number;
  readonly steps: number;
  readonly guidance: number;
  readonly frames: number;
  readonly sampler: string;
  /** `#rrggbb` */
  readonly background: string;
  /** Name and version. */
  readonly model: string;
  /** Of the manifest, which names the hash of each weight file. */
  readonly modelHash: string;
  readonly appVersion: string;
}

/** The box type of XMP in ISO base media files: Adobe, XMP Specification Part 3, section 1.2.7. */
const xmpUuid = Uint8Array.from([
  0xbe, 0x7a, 0xcf, 0xcb, 0x97, 0xa9, 0x42, 0xe8, 0x9c, 0x71, 0x99, 0x94, 0x91, 0xe3, 0xaf, 0xac,
]);

const namespaces = {
  rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
  dc: 'http://purl.org/dc/elements/1.1/',
  xmp: 'http://ns.adobe.com/xap/1.0/',
  flipbook: 'urn:flipbook:clip:1.0/',
} as const;

const kinds = {
  prompt: 'text',
  seed: 'number',
  steps: 'number',
  guidance: 'number',
  frames: 'number',
  sampler: 'text',
  background: 'text',
  model: 'text',
  modelHash: 'text',
  appVersion: 'text',
} as const satisfies Record<keyof ClipMetadata, 'text' | 'number'>;

const integers: readonly string[] = ['seed', 'steps', 'frames'];

/** A file from anywhere is read: more than this is not ours. */
const limits = { boxes: 1000, packetBytes: 1 << 18, textLength: 20_000 } as const;

/**
 * The packet alone, for other containers. Control characters and lone surrogates, which XML 1.0 cannot hold, become
 * U+FFFD; every other string comes back as it was.
 */
export function xmpPacket(metadata: ClipMetadata): string {
  const own = (Object.keys(kinds) as (keyof ClipMetadata)[])
    .map((name) => `   <flipbook:${name}>${escapeXml(String(metadata[name]))}</flipbook:${name}>`)
    .join('\n');
  return `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="${namespaces.rdf}">
  <rdf:Description rdf:about="" xmlns:dc="${namespaces.dc}" xmlns:xmp="${namespaces.xmp}" xmlns:flipbook="${namespaces.flipbook}">
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">${escapeXml(metadata.prompt)}</rdf:li></rdf:Alt></dc:description>
   <xmp:CreatorTool>Flipbook ${escapeXml(metadata.appVersion)}</xmp:CreatorTool>
${own}
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>`;
}

/** A whole box, to be appended to a finished MP4: it moves nothing that the file's index points to. */
export function xmpBox(metadata: ClipMetadata): Uint8Array<ArrayBuffer> {
  const packet = new TextEncoder().encode(xmpPacket(metadata));
  const box = new Uint8Array(8 + xmpUuid.length + packet.length);
  new DataView(box.buffer).setUint32(0, box.length);
  box.set(new TextEncoder().encode('uuid'), 4);
  box.set(xmpUuid, 8);
  box.set(packet, 8 + xmpUuid.length);
  return box;
}

/**
 * Reads back how a clip was made. Null: an MP4 without our settings. Only box headers and the packet are read, so the
 * size of the file does not matter. For the page, not for a worker: it needs DOMParser.
 *
 * Throws FlipbookError 'input' for a file that is no MP4, and for settings that are damaged.
 */
export async function readClipMetadata(file: Blob): Promise<ClipMetadata | null> {
  const packet = await findPacket(file);
  return packet === null ? null : parseXmp(packet);
}

/** Bytes of the XMP packet of an MP4, or null. */
async function findPacket(file: Blob): Promise<string | null> {
  let offset = 0;
  for (let count = 0; count < limits.boxes && offset + 8 <= file.size; count++) {
    const header = new DataView(await file.slice(offset, offset + 32).arrayBuffer());
    const type = String.fromCharCode(...new Uint8Array(header.buffer, 4, 4));
    if (count === 0 && type !== 'ftyp') throw unreadable('This is not an MP4 file.');
    let size = header.getUint32(0);
    let start = 8;
    if (size === 1 && header.byteLength >= 16) {
      size = Number(header.getBigUint64(8));
      start = 16;
    } else if (size === 0) size = file.size - offset; // the last box may run to the end of the file
    if (size < start || offset + size > file.size)
      throw unreadable('This MP4 file is damaged: a part has a wrong size.');
    if (type === 'uuid' && header.byteLength >= start + 16 && isXmp(new Uint8Array(header.buffer, start, 16))) {
      if (size - start - 16 > limits.packetBytes)
        throw unreadable('The settings in this file are too large to be ours.');
      return decodeUtf8(await file.slice(offset + start + 16, offset + size).arrayBuffer());
    }
    offset += size;
  }
  if (offset === 0) throw unreadable('This is not an MP4 file.');
  return null;
}

function isXmp(uuid: Uint8Array): boolean {
  return xmpUuid.every((byte, i) => byte === uuid[i]);
}

function decodeUtf8(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw unreadable('The settings in this file are damaged: they are not UTF-8 text.');
  }
}

/** Null: XMP of someone else. Throws FlipbookError 'input' for settings of ours that are damaged. */
export function parseXmp(packet: string): ClipMetadata | null {
  // A packet has no document type; entities could blow up in the parser.
  if (packet.length > limits.packetBytes || /<!(DOCTYPE|ENTITY)/i.test(packet)) {
    throw unreadable('The settings in this file are not ours.');
  }
  const parsed = new DOMParser().parseFromString(packet, 'application/xml');
  if (parsed.getElementsByTagName('parsererror').length > 0) {
    throw unreadable('The settings in this file are damaged: they are not well-formed XML.');
  }
  const names = Object.keys(kinds) as (keyof ClipMetadata)[];
  const values = names.map((name) => [name, property(parsed, name)] as const);
  if (values.every(([, text]) => text === null)) return null;
  return Object.fromEntries(values.map(([name, text]) => [name, typed(name, text)])) as unknown as ClipMetadata;
}

/** Our property as an element or, as other tools rewrite XMP, as an attribute of the description. */
function property(parsed: Document, name: string): string | null {
  const elements = parsed.getElementsByTagNameNS(namespaces.flipbook, name);
  if (elements.length > 1) throw unreadable(`The settings in this file are damaged: ${name} is there twice.`);
  const [element] = elements;
  if (element) return element.childElementCount === 0 ? element.textContent : null;
  for (const description of parsed.getElementsByTagNameNS(namespaces.rdf, 'Description')) {
    const value = description.getAttributeNS(namespaces.flipbook, name);
    if (value !== null) return value;
  }
  return null;
}

function typed(name: keyof ClipMetadata, text: string | null): string | number {
  if (text === null) throw unreadable(`The settings in this file are damaged: ${name} is missing.`);
  if (kinds[name] === 'text') {
    if (text.length > limits.textLength)
      throw unreadable(`The settings in this file are damaged: ${name} is too long.`);
    return text;
  }
  const value = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  const fits = integers.includes(name) ? Number.isSafeInteger(value) && value >= 0 : Number.isFinite(value);
  if (!fits) throw unreadable(`The settings in this file are damaged: ${name} is "${text.slice(0, 40)}".`);
  return value;
}

function escapeXml(text: string): string {
  return (
    text
      .replace(/\p{Surrogate}/gu, '\uFFFD') // lone ones: pairs match as a whole
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that XML 1.0 cannot hold
      .replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '\uFFFD')
      // A parser turns a bare carriage return into a line feed.
      .replace(/[<>&"'\r]/g, (c) => `&#${c.charCodeAt(0)};`)
  );
}

function unreadable(message: string): FlipbookError {
  return new FlipbookError('input', message, { hint: 'Drop an MP4 that Flipbook made, unchanged.' });
}
