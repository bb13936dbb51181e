// Every option of attention across frames, for the compile test. Results are temporal_attention.test.ts's.
import { temporalAttention } from '../../../shaders/temporal_attention.wgsl';
import { each, type ShaderFamily } from '../grid';
import { headOptions } from './streaming_softmax';

const options = headOptions.flatMap((head) => [true, false].map((biased) => ({ ...head, biased })));

export const family: ShaderFamily = {
  grids: [
    each(
      temporalAttention,
      options.map((option) => [option]),
    ),
  ],
};
