// Every option of attention within rows and to a prompt, for the compile test. Results are attention.test.ts's.
import { attention } from '../../../shaders/attention.wgsl';
import { each, type ShaderFamily } from '../grid';
import { headOptions } from './streaming_softmax';

const options = headOptions.flatMap((head) => [true, false].map((masked) => ({ ...head, masked })));

export const family: ShaderFamily = {
  grids: [
    each(
      attention,
      options.map((option) => [option]),
    ),
  ],
};
