// Reads the safetensors format (huggingface/safetensors): a JSON header and bytes. It converts nothing and copies nothing.
import { FlipbookError } from '../gpu/errors';

/** Element types that are read here, by the format's own names, and their bytes. */
const ELEMENT_BYTES = { F32: 4, F16: 2, BF16: 2, I8: 1, U8: 1, I32: 4 } as const;

export type RawDType = keyof typeof ELEMENT_BYTES;

/** A tensor as it lies in the file. */
export interface RawTensor {
  readonly dtype: RawDType;
  /** Row-major; [] is a scalar. */
  readonly shape: readonly number[];
  /** Little-endian elements. A view of the file, not aligned to anything. */
  readonly data: Uint8Array;
}

interface Range {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
}

/** The reference implementation's limit of the header. */
const MAX_HEADER_BYTES = 100_000_000;

/**
 * The tensors of a file, as views into `buffer`. The data must be covered by the tensors without overlaps or holes.
 * @param file its name, for errors
 * @throws FlipbookError 'weights' naming the file, the tensor, what was expected and what was found
 */
export function parseSafetensors(buffer: ArrayBuffer, file: string): Map<string, RawTensor> {
  const fail = (what: string, cause?: unknown): never => {
    throw new FlipbookError('weights', `${file} is not a valid safetensors file: ${what}`, { cause });
  };
  if (buffer.byteLength < 8) fail(`it has ${buffer.byteLength} bytes, and the header's length alone takes 8`);
  const headerBytes = Number(new DataView(buffer).getBigUint64(0, true));
  if (headerBytes > MAX_HEADER_BYTES || headerBytes > buffer.byteLength - 8) {
    fail(`its header should have ${headerBytes} bytes, but ${buffer.byteLength - 8} follow`);
  }
  const start = 8 + headerBytes;
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(buffer, 8, headerBytes)));
  } catch (cause) {
    fail('its header is not JSON', cause);
  }
  if (!isObject(header)) return fail('its header is not a JSON object');

  const tensors = new Map<string, RawTensor>();
  const ranges: Range[] = [];
  for (const [name, info] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    if (!isObject(info)) return fail(`${name} is ${JSON.stringify(info)}, expected dtype, shape and data_offsets`);
    const { dtype, shape, data_offsets: offsets } = info;
    if (!isDType(dtype)) return fail(`${name} has the dtype ${JSON.stringify(dtype)}, expected ${dtypes()}`);
    if (!isList(shape)) return fail(`${name} has the shape ${JSON.stringify(shape)}, expected whole numbers`);
    const [begin = 0, end = -1] = isList(offsets) && offsets.length === 2 ? offsets : [];
    if (begin > end) return fail(`${name} has the data_offsets ${JSON.stringify(offsets)}, expected [begin, end]`);
    const bytes = shape.reduce((size, extent) => size * extent, ELEMENT_BYTES[dtype]);
    if (bytes !== end - begin)
      fail(`${name} [${shape}] as ${dtype} takes ${bytes} bytes, but it is given ${end - begin}`);
    if (start + end > buffer.byteLength) {
      fail(`${name} ends at byte ${start + end}, but the file has ${buffer.byteLength}; it was probably cut off`);
    }
    tensors.set(name, { dtype, shape, data: new Uint8Array(buffer, start + begin, bytes) });
    ranges.push({ name, begin, end });
  }
  checkCover(ranges, buffer.byteLength - start, fail);
  return tensors;
}

/** Every byte of the data belongs to exactly one tensor, as the format demands. */
function checkCover(ranges: Range[], bytes: number, fail: (what: string) => never): void {
  ranges.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  let before = 'the start';
  for (const { name, begin, end } of ranges) {
    if (begin < at) fail(`${name} overlaps ${before}: it begins at byte ${begin} of the data, before byte ${at}`);
    if (begin > at) fail(`bytes ${at} to ${begin} of the data, before ${name}, belong to no tensor`);
    at = end;
    before = name;
  }
  if (at < bytes) fail(`${bytes - at} bytes at the end belong to no tensor`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDType(value: unknown): value is RawDType {
  return typeof value === 'string' && Object.hasOwn(ELEMENT_BYTES, value);
}

function isList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function dtypes(): string {
  return Object.keys(ELEMENT_BYTES).join(', ');
}
