// How a clip was made, inside its files: XMP in a `uuid` box of an MP4, in an `iTXt` chunk of a PNG and in an application
// extension of a GIF, written and found.
// What the packet says is xmp.ts's.
import { ascii } from './bytes';
import { pngChunk, pngSignature } from './png';
import { type ClipMetadata, packetLimit, parseXmp, unreadable, xmpPacket } from './xmp';

export type { ClipMetadata } from './xmp';

/** The box type of XMP in ISO base media files: Adobe, XMP Specification Part 3, section 1.2.7. */
const xmpUuid = Uint8Array.from([
  0xbe, 0x7a, 0xcf, 0xcb, 0x97, 0xa9, 0x42, 0xe8, 0x9c, 0x71, 0x99, 0x94, 0x91, 0xe3, 0xaf, 0xac,
]);

/** The chunk's keyword, then: no compression, no language, no translated keyword. Same part, section 1.1.5. */
const pngKeyword = ascii('XML:com.adobe.xmp\0\0\0\0\0');

/** How an extension of a GIF begins that holds XMP: introducer, label, length, identifier. Same part, section 1.1.2. */
const gifIdentifier = Uint8Array.of(0x21, 0xff, 11, ...ascii('XMP DataXMP'));

/**
 * What follows the packet there. A program that knows no XMP takes the packet's characters for the lengths of sub-blocks: wherever
 * the last one leads it, from here it gets to the zero at the end.
 */
const gifTrailer = Uint8Array.from({ length: 258 }, (_, i) => (i === 0 ? 1 : i < 256 ? 256 - i : 0));

/** Bytes: a GIF of ours has its settings within them. */
const gifHeadLimit = packetLimit + (1 << 16);

/** Boxes or chunks: a file with more is not ours. */
const partLimit = 1000;

/** A whole box, to be appended to a finished MP4: it moves nothing that the file's index points to. */
export function xmpBox(metadata: ClipMetadata): Uint8Array<ArrayBuffer> {
  const packet = new TextEncoder().encode(xmpPacket(metadata));
  const box = new Uint8Array(8 + xmpUuid.length + packet.length);
  new DataView(box.buffer).setUint32(0, box.length);
  box.set(ascii('uuid'), 4);
  box.set(xmpUuid, 8);
  box.set(packet, 8 + xmpUuid.length);
  return box;
}

/** The same PNG with the settings in it, right after its header. */
export function addXmpToPng(png: Blob, metadata: ClipMetadata): Blob {
  const chunk = pngChunk('iTXt', pngKeyword, new TextEncoder().encode(xmpPacket(metadata)));
  const header = pngSignature.length + 25; // IHDR is first and always as long
  return new Blob([png.slice(0, header), chunk, png.slice(header)], { type: 'image/png' });
}

/** A whole extension, to be put before a GIF's first picture. */
export function xmpExtension(metadata: ClipMetadata): Uint8Array<ArrayBuffer> {
  const packet = new TextEncoder().encode(xmpPacket(metadata));
  const extension = new Uint8Array(gifIdentifier.length + packet.length + gifTrailer.length);
  extension.set(gifIdentifier);
  extension.set(packet, gifIdentifier.length);
  extension.set(gifTrailer, gifIdentifier.length + packet.length);
  return extension;
}

/**
 * Reads back how a clip was made, from an MP4, a PNG or a GIF. Null: there are no settings of ours. Only the headers of its
 * parts and the packet are read, and of a GIF the beginning, so the size of the file does not matter. For the page, not for a
 * worker (DOMParser).
 *
 * Throws FlipbookError 'input' for another kind of file, and for settings that are damaged.
 */
export async function readClipMetadata(file: Blob): Promise<ClipMetadata | null> {
  const start = new Uint8Array(await file.slice(0, 8).arrayBuffer());
  const packet = await finderFor(start)(file);
  return packet === null ? null : parseXmp(packet);
}

function finderFor(start: Uint8Array): (file: Blob) => Promise<string | null> {
  if (startsWith(start, pngSignature)) return findInPng;
  return startsWith(start, ascii('GIF8')) ? findInGif : findInMp4;
}

async function findInMp4(file: Blob): Promise<string | null> {
  let offset = 0;
  for (let count = 0; count < partLimit && offset + 8 <= file.size; count++) {
    const header = new DataView(await file.slice(offset, offset + 32).arrayBuffer());
    const type = String.fromCharCode(...new Uint8Array(header.buffer, 4, 4));
    if (count === 0 && type !== 'ftyp') throw wrongKind();
    let size = header.getUint32(0);
    let start = 8;
    if (size === 1 && header.byteLength >= 16) {
      size = Number(header.getBigUint64(8));
      start = 16;
    } else if (size === 0) size = file.size - offset; // the last box may run to the end of the file
    if (size < start || offset + size > file.size) throw wrongSize('MP4');
    if (type === 'uuid' && startsWith(new Uint8Array(header.buffer, Math.min(start, header.byteLength)), xmpUuid)) {
      return readPacket(file, offset + start + xmpUuid.length, offset + size);
    }
    offset += size;
  }
  if (offset === 0) throw wrongKind();
  return null;
}

async function findInPng(file: Blob): Promise<string | null> {
  let offset = pngSignature.length;
  for (let count = 0; count < partLimit && offset + 12 <= file.size; count++) {
    const header = new DataView(await file.slice(offset, offset + 8 + pngKeyword.length).arrayBuffer());
    const size = header.getUint32(0);
    if (offset + 12 + size > file.size) throw wrongSize('PNG');
    const isText = startsWith(new Uint8Array(header.buffer, 4), ascii('iTXt'));
    if (isText && size >= pngKeyword.length && startsWith(new Uint8Array(header.buffer, 8), pngKeyword)) {
      return readPacket(file, offset + 8 + pngKeyword.length, offset + 8 + size);
    }
    offset += 12 + size;
  }
  return null;
}

/** Among the extensions before the first picture. */
async function findInGif(file: Blob): Promise<string | null> {
  const head = new Uint8Array(await file.slice(0, gifHeadLimit).arrayBuffer());
  const screen = head[10] ?? 0;
  let offset = 13 + (screen & 0x80 ? 3 * 2 ** ((screen & 7) + 1) : 0); // after the table of colours
  while (head[offset] === 0x21) {
    const end = endOfSubBlocks(head, offset + 2);
    if (end <= head.length && startsWith(head.subarray(offset), gifIdentifier)) {
      const to = end - gifTrailer.length;
      if (!startsWith(head.subarray(to), gifTrailer)) throw wrongSize('GIF');
      return readPacket(file, offset + gifIdentifier.length, to);
    }
    offset = end;
  }
  if (offset >= head.length && head.length === file.size) throw wrongSize('GIF');
  return null;
}

/** After the zero that ends them; beyond the last byte where none does. */
function endOfSubBlocks(bytes: Uint8Array, start: number): number {
  let offset = start;
  while (offset < bytes.length && bytes[offset] !== 0) offset += 1 + bytes[offset]!;
  return offset + 1;
}

async function readPacket(file: Blob, from: number, to: number): Promise<string> {
  if (to - from > packetLimit) throw unreadable('The settings in this file are too large to be ours.');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.slice(from, to).arrayBuffer());
  } catch {
    throw unreadable('The settings in this file are damaged: they are not UTF-8 text.');
  }
}

function wrongKind(): Error {
  return unreadable('This is not an MP4, PNG or GIF file.');
}

function wrongSize(kind: string): Error {
  return unreadable(`This ${kind} file is damaged: a part has a wrong size.`);
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.length >= start.length && start.every((byte, i) => byte === bytes[i]);
}
