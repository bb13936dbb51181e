// Tiny safetensors files and a server of files, for the tests of weights. Not the code under test: it writes, that reads.

export interface TestTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** Serialises tensors in the given order, as the format's specification says. */
export function writeSafetensors(tensors: Record<string, TestTensor>, metadata?: Record<string, string>): ArrayBuffer {
  let at = 0;
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [at, at + data.length] };
    at += data.length;
  }
  return fileOf(
    JSON.stringify(header),
    Object.values(tensors).map(({ data }) => data),
  );
}

/** A file with any header text, right or wrong. */
export function fileOf(header: string, data: readonly Uint8Array[]): ArrayBuffer {
  const text = new TextEncoder().encode(header);
  const bytes = data.reduce((sum, part) => sum + part.length, 0);
  const out = new Uint8Array(8 + text.length + bytes);
  new DataView(out.buffer).setBigUint64(0, BigInt(text.length), true);
  out.set(text, 8);
  let at = 8 + text.length;
  for (const part of data) {
    out.set(part, at);
    at += part.length;
  }
  return out.buffer;
}

export function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
}

export function f32(shape: readonly number[], values: readonly number[]): TestTensor {
  return { dtype: 'F32', shape, data: bytesOf(Float32Array.from(values)) };
}

/** Small integers as f16: exact, so that repacking can be checked by equality. */
export function f16(shape: readonly number[], values: readonly number[]): TestTensor {
  return { dtype: 'F16', shape, data: bytesOf(Uint16Array.from(values, halfOfInteger)) };
}

export function halfOfInteger(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | ((Math.abs(value) / 2 ** exponent - 1) * 1024);
}

export async function sha256(data: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export async function listed(file: string, data: ArrayBuffer) {
  return { file, bytes: data.byteLength, sha256: await sha256(data) };
}
