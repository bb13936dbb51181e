// Places activations in as little memory as their lifetimes allow. Pure arithmetic: no GPU here.
//
// Memory comes in banks, one GPUBuffer each. WebGPU forbids a dispatch to bind one buffer both read-only and writable,
// even at disjoint ranges, so what a call reads and what it writes never share a bank.

export interface Lifetime {
  readonly bytes: number;
  /** Indices of the first and the last call that use it, both included. */
  readonly first: number;
  readonly last: number;
}

export interface Placement {
  readonly bank: number;
  /** Bytes from the start of the bank. */
  readonly offset: number;
}

export interface ArenaLayout {
  readonly placements: readonly Placement[];
  readonly bankBytes: readonly number[];
}

interface Resident extends Lifetime {
  readonly index: number;
  readonly offset: number;
  readonly end: number;
}

/**
 * Largest first, each into the bank and gap that grows the arena least (greedy by size: Pisarchyk and Lee, "Efficient
 * Memory Management for Deep Neural Net Inference", 2020).
 *
 * @param apart pairs of indices that must lie in different banks
 * @param align offsets and bank sizes are multiples of it, in bytes
 * @param maxBytes no bank grows beyond it
 */
export function placeInArena(
  lifetimes: readonly Lifetime[],
  apart: Iterable<readonly [number, number]>,
  { align, maxBytes }: { align: number; maxBytes: number },
): ArenaLayout {
  const rivals = lifetimes.map(() => new Set<number>());
  for (const [a, b] of apart) {
    rivals[a]!.add(b);
    rivals[b]!.add(a);
  }
  const banks: { bytes: number; residents: Resident[] }[] = [];
  const placements: Placement[] = new Array(lifetimes.length);
  const order = lifetimes.map((_, i) => i).sort((a, b) => lifetimes[b]!.bytes - lifetimes[a]!.bytes || a - b);
  for (const index of order) {
    const life = lifetimes[index]!;
    const bytes = Math.ceil(life.bytes / align) * align;
    if (bytes > maxBytes)
      throw new RangeError(`An activation of ${bytes} bytes exceeds the largest buffer, ${maxBytes}`);
    let best = { bank: banks.length, offset: 0, growth: bytes };
    banks.forEach((bank, b) => {
      if (bank.residents.some((resident) => rivals[index]!.has(resident.index))) return;
      const offset = lowestGap(bank.residents, life, bytes);
      if (offset + bytes > maxBytes) return;
      const growth = Math.max(0, offset + bytes - bank.bytes);
      // An old bank wins a tie against a new one.
      if (growth < best.growth || (growth === best.growth && best.bank === banks.length)) {
        best = { bank: b, offset, growth };
      }
    });
    if (best.bank === banks.length) banks.push({ bytes: 0, residents: [] });
    const bank = banks[best.bank]!;
    bank.bytes = Math.max(bank.bytes, best.offset + bytes);
    bank.residents.push({ ...life, index, offset: best.offset, end: best.offset + bytes });
    placements[index] = { bank: best.bank, offset: best.offset };
  }
  return { placements, bankBytes: banks.map((bank) => bank.bytes) };
}

/** The lowest offset where `bytes` fit beside everything that is alive at the same time. */
function lowestGap(residents: readonly Resident[], life: Lifetime, bytes: number): number {
  const alive = residents
    .filter((other) => other.first <= life.last && life.first <= other.last)
    .sort((a, b) => a.offset - b.offset);
  let offset = 0;
  for (const other of alive) {
    if (other.offset - offset >= bytes) break;
    offset = Math.max(offset, other.end);
  }
  return offset;
}
