// The activations of one plan: when each lives, which must not share a buffer, and where the arena puts them.
// It holds no GPU memory; Plan allocates the banks.
import { type ArenaLayout, type Placement, placeInArena } from './arena';
import { bindingAlignment, bindingBytes, type DType, type Slot, type Tensor } from './tensor';

interface Life {
  first: number;
  last: number;
}

export class Activations {
  readonly #label: string;
  readonly #maxBytes: number;
  readonly #slots: Slot[] = [];
  readonly #lives: (Life | undefined)[] = [];
  readonly #kept = new Set<Slot>();
  readonly #apart = new Set<string>();
  #layout: ArenaLayout | undefined;
  #lastCall = -1;

  /** @param maxBytes the largest buffer of the arena */
  constructor(label: string, maxBytes: number) {
    this.#label = label;
    this.#maxBytes = maxBytes;
  }

  add(shape: readonly number[], dtype: DType): Tensor {
    const slot: Slot = {
      index: this.#slots.length,
      bytes: bindingBytes({ shape, dtype }),
      label: `${this.#label} activation ${this.#slots.length} [${shape}]`,
    };
    this.#slots.push(slot);
    return { shape, dtype, storage: { kind: 'arena', slot, offset: 0 } };
  }

  /** Alive to the end of the run, whatever its last use. */
  keep(slot: Slot): void {
    this.#kept.add(slot);
    this.#layout = undefined;
  }

  use(slot: Slot, { reads, call, by }: { reads: boolean; call: number; by: string }): void {
    if (this.#slots[slot.index] !== slot) throw new TypeError(`${by}: ${slot.label} belongs to another plan`);
    const life = this.#lives[slot.index];
    if (!life && reads) throw new Error(`${by} reads ${slot.label}, which nothing has written yet`);
    if (life) life.last = call;
    else this.#lives[slot.index] = { first: call, last: call };
    this.#lastCall = Math.max(this.#lastCall, call);
    this.#layout = undefined;
  }

  /** The two must lie in different buffers. */
  separate(a: Slot, b: Slot): void {
    this.#apart.add(`${a.index} ${b.index}`);
  }

  /** Bytes of all activations that some call uses, as if none shared memory. */
  get totalBytes(): number {
    return this.#slots.reduce((total, slot) => total + (this.#lives[slot.index] ? slot.bytes : 0), 0);
  }

  /** The most bytes that are alive during one call: no arena can be smaller. */
  get liveBytes(): number {
    const bytes = new Array<number>(this.#lastCall + 1).fill(0);
    for (const slot of this.#slots) {
      const life = this.#lives[slot.index];
      if (!life) continue;
      const last = this.#kept.has(slot) ? this.#lastCall : life.last;
      for (let call = life.first; call <= last; call++) bytes[call]! += slot.bytes;
    }
    return bytes.reduce((most, sum) => Math.max(most, sum), 0);
  }

  /** Bytes of each bank of the arena. */
  get bankBytes(): readonly number[] {
    return this.#place().bankBytes;
  }

  placement(slot: Slot): Placement {
    const place = this.#slots[slot.index] === slot ? this.#place().placements[slot.index] : undefined;
    if (!place) throw new TypeError(`${slot.label} is not part of ${this.#label}`);
    return place;
  }

  /** Whether nothing later in the run may overwrite it. */
  livesToEnd(slot: Slot): boolean {
    return this.#kept.has(slot) || this.#lives[slot.index]?.last === this.#lastCall;
  }

  #place(): ArenaLayout {
    if (this.#layout) return this.#layout;
    // Slots that no call uses take no room and get no place.
    const used = this.#slots.filter((slot) => this.#lives[slot.index]);
    const position = new Map(used.map((slot, i) => [slot.index, i]));
    const lifetimes = used.map((slot) => {
      const { first, last } = this.#lives[slot.index]!;
      return { bytes: slot.bytes, first, last: this.#kept.has(slot) ? this.#lastCall : last };
    });
    const apart = [...this.#apart].map((pair) => {
      const [a, b] = pair.split(' ').map((index) => position.get(Number(index))!);
      return [a!, b!] as const;
    });
    const layout = placeInArena(lifetimes, apart, { align: bindingAlignment, maxBytes: this.#maxBytes });
    const placements = this.#slots.map((slot) => layout.placements[position.get(slot.index) ?? -1]!);
    this.#layout = { placements, bankBytes: layout.bankBytes };
    return this.#layout;
  }
}
