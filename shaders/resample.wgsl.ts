// Moves between resolutions as WGSL text: pixel and time shuffles, nearest upsampling, average downsampling.
// No learned weights: an up- or downsampling convolution is conv3d beside one of these.
import { f32, linearMain, type Shader, type ShaderParam, shaderInterface, wgsl, workgroupSize } from './wgsl';

export type ResampleKind =
  | 'pixelShuffle'
  | 'pixelUnshuffle'
  | 'timeShuffle'
  | 'timeUnshuffle'
  | 'upsampleNearest'
  | 'downsampleAverage';

export interface ResampleOptions {
  readonly kind: ResampleKind;
  /** Ratio of the extents along time, height and width. */
  readonly factors: readonly [time: number, height: number, width: number];
  /** Channels come in whole vec4s, on both sides; a pixel shuffle moves single channels and cannot use it. */
  readonly aligned: boolean;
}

/** Extents of the output; channels in vec4s if aligned. `count` is how many elements (or vec4s) there are. */
const resampleParams: readonly ShaderParam[] = [
  ['time', 'u32'],
  ['height', 'u32'],
  ['width', 'u32'],
  ['channels', 'u32'],
  ['count', 'u32'],
];

/** Arguments: x, out, both f32 [B, T, H, W, C]. One thread makes one element, or one vec4 of channels. */
export function resample({ kind, factors, aligned }: ResampleOptions): Shader {
  const [rt, rh, rw] = factors;
  const type = aligned ? 'vec4f' : 'f32';
  const { declarations, ...shader } = shaderInterface(
    [
      ['x', 'read', type],
      ['out', 'write', type],
    ],
    resampleParams,
  );
  return {
    ...shader,
    label: `${kind} ${factors}${aligned ? '' : ' unaligned'}`,
    code: wgsl`
${declarations}
${linearMain(workgroupSize)}
  if (thread >= params.count) {
    return;
  }
  let c = thread % params.channels;
  let w = thread / params.channels % params.width;
  let h = thread / (params.channels * params.width) % params.height;
  let frame = thread / (params.channels * params.width * params.height); // batch and time
#if ${kind === 'pixelShuffle'}
  // Channel c·r² + i·r + j of the input is pixel (i, j) of a block (torch.nn.functional.pixel_shuffle).
  let pixel = (frame * (params.height / ${rh}u) + h / ${rh}u) * (params.width / ${rw}u) + w / ${rw}u;
  out[thread] = x[(pixel * params.channels + c) * ${rh * rw}u + h % ${rh}u * ${rw}u + w % ${rw}u];
#elif ${kind === 'pixelUnshuffle'}
  let row = h * ${rh}u + c / ${rw}u % ${rh}u;
  let pixel = (frame * params.height * ${rh}u + row) * params.width * ${rw}u + w * ${rw}u + c % ${rw}u;
  out[thread] = x[pixel * (params.channels / ${rh * rw}u) + c / ${rh * rw}u];
#elif ${kind === 'timeShuffle'}
  // Channel i·C + c of an input frame is channel c of output frame i. Time is the slowest axis within a batch.
  let pixel = (frame / ${rt}u * params.height + h) * params.width + w;
  out[thread] = x[(pixel * ${rt}u + frame % ${rt}u) * params.channels + c];
#elif ${kind === 'timeUnshuffle'}
  let channels = params.channels / ${rt}u;
  let pixel = ((frame * ${rt}u + c / channels) * params.height + h) * params.width + w;
  out[thread] = x[pixel * channels + c % channels];
#elif ${kind === 'upsampleNearest'}
  let batch = frame / params.time;
  let inFrame = batch * (params.time / ${rt}u) + frame % params.time / ${rt}u;
  let pixel = (inFrame * (params.height / ${rh}u) + h / ${rh}u) * (params.width / ${rw}u) + w / ${rw}u;
  out[thread] = x[pixel * params.channels + c];
#else
  var sum = ${type}();
  for (var i = 0u; i < ${rt}u; i++) {
    for (var j = 0u; j < ${rh}u; j++) {
      for (var k = 0u; k < ${rw}u; k++) {
        let row = (frame * ${rt}u + i) * params.height * ${rh}u + h * ${rh}u + j;
        sum += x[(row * params.width * ${rw}u + w * ${rw}u + k) * params.channels + c];
      }
    }
  }
  out[thread] = sum * ${f32(1 / (rt * rh * rw))};
#endif
}
`,
  };
}
