// Every option of the noise update, for the compile test. Results are noise_update.test.ts's.
import { noiseUpdate } from '../../../shaders/noise_update.wgsl';
import { grid, type ShaderFamily } from '../grid';

const flags = [true, false];

export const family: ShaderFamily = {
  grids: [
    grid(noiseUpdate, {
      guided: flags,
      previous: flags,
      known: flags,
      aligned: flags,
    }),
  ],
};
