// How a clip was made, as an XMP packet: written, and read back as text that nobody vouches for. Files are metadata.ts's.
// It judges no option: what it reads has the right types, not necessarily values that this version accepts.
import { FlipbookError } from '../gpu/errors';

/** Everything that makes the same clip again, together with the picture that it may name. */
export interface ClipMetadata {
  readonly prompt: string;
  readonly seed: number;
  readonly steps: number;
  readonly guidance: number;
  readonly frames: number;
  readonly sampler: string;
  /** `#rrggbb` */
  readonly background: string;
  readonly motion?: number;
  /** SHA-256 of the picture file that the clip started from; the picture itself is not in the file. */
  readonly picture?: string;
  /** The part of it that was drawn anew: left, top, width, height in latent positions; or `all`. */
  readonly redraw?: string;
  /** Name and version. */
  readonly model: string;
  /** SHA-256 of its model.json, which names the hash of each weight file. */
  readonly modelHash: string;
  readonly appVersion: string;
}

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
  motion: 'number',
  picture: 'text',
  redraw: 'text',
  model: 'text',
  modelHash: 'text',
  appVersion: 'text',
} as const satisfies Record<keyof ClipMetadata, 'text' | 'number'>;

const integers: readonly string[] = ['seed', 'steps', 'frames'];
const optional: readonly string[] = ['motion', 'picture', 'redraw'];

/** Characters: more than this is not ours. */
const textLimit = 20_000;
export const packetLimit = 1 << 18;

/**
 * The packet. Control characters and lone surrogates, which XML 1.0 cannot hold, become
 * U+FFFD; every other string comes back as it was.
 */
export function xmpPacket(metadata: ClipMetadata): string {
  const own = (Object.keys(kinds) as (keyof ClipMetadata)[])
    .filter((name) => metadata[name] !== undefined)
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

/**
 * Null: XMP of someone else. For the page, not for a worker: it needs DOMParser.
 * Throws FlipbookError 'input' for settings of ours that are damaged.
 */
export function parseXmp(packet: string): ClipMetadata | null {
  // A packet has no document type; entities could blow up in the parser.
  if (packet.length > packetLimit || /<!(DOCTYPE|ENTITY)/i.test(packet)) {
    throw unreadable('The settings in this file are not ours.');
  }
  const parsed = new DOMParser().parseFromString(packet, 'application/xml');
  if (parsed.getElementsByTagName('parsererror').length > 0) {
    throw unreadable('The settings in this file are damaged: they are not well-formed XML.');
  }
  const names = Object.keys(kinds) as (keyof ClipMetadata)[];
  const values = names.map((name) => [name, property(parsed, name)] as const);
  if (values.every(([, text]) => text === null)) return null;
  const there = values.filter(([name, text]) => text !== null || !optional.includes(name));
  return Object.fromEntries(there.map(([name, text]) => [name, typed(name, text)])) as unknown as ClipMetadata;
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
    if (text.length > textLimit) throw unreadable(`The settings in this file are damaged: ${name} is too long.`);
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

export function unreadable(message: string): FlipbookError {
  return new FlipbookError('input', message, { hint: 'Drop an MP4, PNG or GIF that Flipbook made, unchanged.' });
}
