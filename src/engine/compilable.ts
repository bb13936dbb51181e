// A plan of the engine and, once that is compiled, its program: what the steps of a generation share. It records nothing.
import type { Plan, PlanStats } from '../gpu/plan';
import type { Program } from '../gpu/program';
import type { OnProgress } from '../gpu/progress';

export class Compilable {
  readonly #plan: Plan;
  #program: Program | undefined;

  /** @param plan whose calls are all recorded before `compile` */
  constructor(plan: Plan) {
    this.#plan = plan;
  }

  get stats(): PlanStats {
    return this.#plan.stats;
  }

  /** Floating-point operations of one run. */
  get flops(): number {
    return this.stats.flops;
  }

  /** @throws Error before `compile` */
  get program(): Program {
    if (!this.#program) throw new Error(`${this.#plan.label} is not compiled`);
    return this.#program;
  }

  /** Once; after that it does nothing. @param part makes a progress callback, pipelines of this program */
  async compile(signal: AbortSignal, part: () => OnProgress): Promise<void> {
    this.#program ??= await this.#plan.compile(signal, part());
  }

  /** Frees what the plan holds, compiled or not. */
  dispose(): void {
    this.#program?.dispose();
    this.#plan.dispose();
    this.#program = undefined;
  }
}
