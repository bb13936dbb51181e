// What the ratios of a result do not say by themselves, in sentences made of the result. It changes no ratio.
import { type BenchResult, type CaseResult, type Group, groups } from './result';
import { digits } from './rows';

/** Sentences for those ratios that need one, in the order of the groups. */
export function caveats({ cases, ratios }: BenchResult): string[] {
  return [
    ...groups.filter((group) => group in ratios).flatMap((group) => withoutRewrites(group, cases)),
    ...coldStart(cases),
    ...memory(cases),
  ];
}

/** Of a group whose ratio is over both kinds of arms: none of the stronger kind may have a time. */
function withoutRewrites(group: Group, cases: readonly CaseResult[]): string[] {
  const rewrites = cases
    .filter((found) => found.group === group)
    .flatMap(({ arms }) => arms.filter(({ kind }) => kind === 'strongest rewrite'));
  if (rewrites.length === 0 || rewrites.some(({ milliseconds }) => milliseconds)) return [];
  const names = [...new Set(rewrites.map(({ runtime, how }) => `${runtime}'s ${how}`))].join(', ');
  return [
    `\`${group}\` is over as-written arms alone: no strongest rewrite (${names}) gave a verified result in any case.`,
  ];
}

function coldStart(cases: readonly CaseResult[]): string[] {
  const [cold, step] = [pairOf('cold_start', cases), pairOf('denoiser_step', cases)];
  const [ourCold, ourStep] = [cold?.ours.milliseconds?.median, step?.ours.milliseconds?.median];
  const [peerCold, peerStep] = [cold?.peer.milliseconds?.median, step?.peer.milliseconds?.median];
  if (!ourCold || !ourStep || !peerCold || !peerStep) return [];
  const [ours, peer] = [ourCold - ourStep, peerCold - peerStep];
  if (!(ours > 0 && peer > 0)) return [];
  const difference = (a: number, b: number) => `(${digits(a)} - ${digits(b)})`;
  return [
    `\`cold_start_vs_ort\` has one denoiser step in it on each side. Without that step it is about ${digits(peer / ours)}: ` +
      `${difference(peerCold, peerStep)} / ${difference(ourCold, ourStep)} ms.`,
  ];
}

function memory(cases: readonly CaseResult[]): string[] {
  const cold = pairOf('cold_start', cases);
  const [ours, peer, weights] = [cold?.ours.peakGpuBytes, cold?.peer.peakGpuBytes, cold?.ours.weightBytes];
  if (!ours || !peer) return [];
  const compared = "`peak_gpu_bytes_vs_ort` compares our weights in fp16 with the peer's in f32";
  if (!weights) return [`${compared}.`];
  return [
    `${compared}. With the peer's in fp16 (${digits(weights / 1e6)} MB less) it would be about ${digits((peer - weights) / ours)}, ` +
      `with ours in f32 (as much more) about ${digits(peer / (ours + weights))}.`,
  ];
}

/** Both sides of a whole-model ratio. */
function pairOf(group: Group, cases: readonly CaseResult[]) {
  const arms = cases.find((found) => found.group === group)?.arms;
  const ours = arms?.find(({ kind }) => kind === 'ours');
  const peer = arms?.find(({ runtime }) => runtime === 'onnxruntime-web');
  return ours && peer && { ours, peer };
}
