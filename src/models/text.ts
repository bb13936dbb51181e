// The text encoder: a prompt's WordPiece tokens, their rows of the frozen table, a small transformer.
// Mirrors training/text.py. Tokens and rows are the CPU's, the transformer is recorded on a Plan.
import { Tokenizer } from '@huggingface/tokenizers';
import { FlipbookError } from '../gpu/errors';
import type { Plan } from '../gpu/plan';
import { reshape, type Tensor } from '../gpu/tensor';
import { chooseSchedule, crossAttention, selfAttention } from '../ops/attention';
import { concat } from '../ops/elementwise';
import { affineLayerNorm, constant, dense, type ModelWeights, parameter, readCounts, repeated } from './blocks';
import type { ModuleConfig } from './manifest';

export interface TextConfig {
  /** Tokens that the table knows, and columns it has. */
  readonly vocabulary: number;
  readonly table: number;
  /** Tokens of a prompt, [CLS] and [SEP] included. */
  readonly length: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
}

/** @throws FlipbookError 'weights' where the module says nothing usable */
export function textConfig(config: ModuleConfig): TextConfig {
  return readCounts(config, 'text encoder', 'vocabulary', 'table', 'length', 'width', 'layers', 'heads');
}

/** A prompt as the transformer takes it. */
export interface PromptRows {
  readonly ids: readonly number[];
  /** [L, table]; past the last token the row of [PAD], as in training. */
  readonly rows: Float32Array;
  /** [L]: 1 for a token, 0 for padding. */
  readonly mask: Float32Array;
}

export interface Unread {
  readonly unknown: readonly string[];
  /** The rest of the prompt; empty where all of it is read. */
  readonly cut: string;
}

/** Prompt → token rows. The table stays int8 in memory. */
export class PromptReader {
  readonly #tokenizer: Tokenizer;
  readonly #table: Int8Array;
  readonly #scale: Float32Array;
  readonly #config: TextConfig;

  /**
   * @param tokenizerJson the parsed tokenizer.json of the model
   * @throws FlipbookError 'weights' where the token table is not the one that the configuration tells of
   */
  constructor(tokenizerJson: object, weights: ModelWeights, config: TextConfig) {
    const table = weights.raw('table');
    if (table.dtype !== 'I8' || table.shape.join() !== `${config.vocabulary},${config.table}`) {
      throw new FlipbookError(
        'weights',
        `The token table is ${table.dtype} [${table.shape}], expected I8 [${config.vocabulary}, ${config.table}]`,
      );
    }
    this.#tokenizer = new Tokenizer(tokenizerJson, { tokenizer_class: 'BertTokenizer' });
    this.#table = new Int8Array(table.data.buffer, table.data.byteOffset, table.data.byteLength);
    this.#scale = parameter(weights, 'table_scale', [config.table]);
    this.#config = config;
  }

  /** [CLS], the prompt's tokens, [SEP]; what does not fit is cut off before [SEP]. An empty prompt is [CLS] [SEP]. */
  tokens(prompt: string): readonly number[] {
    const { ids } = this.#tokenizer.encode(prompt);
    const { length } = this.#config;
    return ids.length <= length ? ids : [...ids.slice(0, length - 1), ids.at(-1)!];
  }

  /** What of a prompt the model does not see: words that it has no token for, and what is too long to be read. */
  unread(prompt: string): Unread {
    const tokens = (text: string) => this.#tokenizer.encode(text, { add_special_tokens: false }).tokens;
    const unknown: string[] = [];
    const words = prompt.split(/\s+/).filter(Boolean);
    let room = this.#config.length - 2; // [CLS] and [SEP]
    for (const [i, word] of words.entries()) {
      room -= tokens(word).length;
      if (room < 0) return { unknown, cut: words.slice(i).join(' ') };
      const bare = word.replace(/^\p{P}+|\p{P}+$/gu, ''); // Curly quotes have no token, and mean nothing.
      if (tokens(bare).includes('[UNK]')) unknown.push(bare);
    }
    return { unknown, cut: '' };
  }

  /**
   * The prompt's tokens as rows of the table, times its scales.
   * @throws FlipbookError 'weights' where the tokenizer knows more tokens than the table
   */
  read(prompt: string): PromptRows {
    const { length, table, vocabulary } = this.#config;
    const ids = this.tokens(prompt);
    const rows = new Float32Array(length * table);
    const mask = new Float32Array(length);
    for (let i = 0; i < length; i++) {
      const id = ids[i] ?? 0; // [PAD]
      if (id >= vocabulary) throw new FlipbookError('weights', `Token ${id} is beyond the table's ${vocabulary}`);
      for (let c = 0; c < table; c++) rows[i * table + c] = this.#table[id * table + c]! * this.#scale[c]!;
      mask[i] = i < ids.length ? 1 : 0;
    }
    return { ids, rows, mask };
  }
}

/**
 * Pre-norm transformer over the table's rows.
 * @param rows [B, L, table]
 * @param mask [B, L], 1 keep
 * @returns context [B, L, width], pooled [B, width] (mean over kept tokens)
 */
export function textEncoder(
  plan: Plan,
  rows: Tensor,
  mask: Tensor,
  weights: ModelWeights,
  { width, layers, heads, length }: TextConfig,
): { context: Tensor; pooled: Tensor } {
  const batch = rows.shape[0]!;
  const position = repeated(plan, parameter(weights, 'position', [length, width]), [batch, length, width], 'positions');
  let x = dense(plan, rows, weights.scope('embed'), { residual: position }); // [B, L, C]
  for (let i = 0; i < layers; i++) {
    const layer = weights.scope(`layers.${i}`);
    const qkv = dense(plan, affineLayerNorm(plan, x, layer.scope('norm1')), layer.scope('qkv')); // [B, L, 3C]
    x = dense(plan, selfAttention(plan, qkv, { heads, mask }), layer.scope('out'), { residual: x });
    const h = dense(plan, affineLayerNorm(plan, x, layer.scope('norm2')), layer.scope('fc1'), { activation: 'gelu' });
    x = dense(plan, h, layer.scope('fc2'), { residual: x });
  }
  const context = affineLayerNorm(plan, x, weights.scope('norm')); // [B, L, C]
  return { context, pooled: maskedMean(plan, context, mask, heads) };
}

/** Mean over kept tokens [B, C], as the attention of a query that is zero: every kept key weighs the same, for any heads. */
function maskedMean(plan: Plan, context: Tensor, mask: Tensor, heads: number): Tensor {
  const [batch, length, width] = context.shape as [number, number, number];
  const query = constant(plan, new Float32Array(batch * width), [batch, 1, 1, 1, width], 'zero query');
  // The schedule of the layers above: one pipeline less to compile.
  const schedule = chooseSchedule(plan, {
    headDim: width / heads,
    queries: length,
    keys: length,
    slots: batch * heads,
  });
  const keysValues = concat(plan, [context, context]);
  const mean = crossAttention(plan, query, keysValues, { heads, mask, schedule }); // [B, 1, 1, 1, C]
  return reshape(mean, [batch, width]);
}
