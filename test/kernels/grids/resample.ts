// Every option of the kernels that move or average pixels, for the compile test. Results are resample.test.ts's.
import { resample } from '../../../shaders/resample.wgsl';
import { grid, type ShaderFamily } from '../grid';

export const family: ShaderFamily = {
  grids: [
    grid(
      resample,
      {
        kind: [
          'pixelShuffle',
          'pixelUnshuffle',
          'timeShuffle',
          'timeUnshuffle',
          'upsampleNearest',
          'downsampleAverage',
        ],
        factors: [
          [1, 2, 2],
          [2, 1, 1],
          [2, 2, 2],
          [1, 3, 3],
        ],
        aligned: [true, false],
      },
      ({ kind, factors: [t, h, w], aligned }) => {
        if (kind.startsWith('pixel')) return t === 1 && h === w && !aligned;
        if (kind.startsWith('time')) return h === 1 && w === 1;
        return true;
      },
    ),
  ],
};
