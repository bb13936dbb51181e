// The recorder on an encoder that does not do as it promised, and without one: why there is no video, and what comes next.
import { afterEach, expect, test, vi } from 'vitest';
import { VideoRecorder } from '../../src/engine/recorder';
import type { Screen } from '../../src/engine/screen';
import { videoFrame } from '../../src/media/pixels';
import { patches } from '../media/art';
import { FakeEncoder, fake } from '../media/fake-encoder';
import { sampleMetadata } from '../media/samples';

afterEach(() => void vi.unstubAllGlobals());

const screen = {
  width: 512,
  height: 512,
  show: async () => undefined,
  capture: async (timing) => videoFrame(patches(512), timing),
} satisfies Partial<Screen> as unknown as Screen;

async function record() {
  const recorder = await VideoRecorder.open(
    screen,
    { fps: 12, metadata: sampleMetadata },
    new AbortController().signal,
  );
  for (let i = 0; i < 4; i++) await recorder.add(i);
  return recorder.close();
}

test('an encoder that fails midway: it may do at another try, which begins with another one', async () => {
  vi.stubGlobal(
    'VideoEncoder',
    fake(
      {},
      {
        encode: (encoder, { timestamp }, index) =>
          index === 2 ? encoder.fail('taken away') : encoder.give(index ? 'delta' : 'key', timestamp),
      },
      {},
    ),
  );
  const { video, codec, problem } = await record();
  expect([video, codec]).toEqual([null, null]);
  expect(problem?.message).toBe('The video encoder stopped: taken away');
  expect(problem?.hint).toMatch(/^Press Download MP4 to try again/);
  const again = await record();
  expect(again.video).not.toBeNull();
  expect(again.problem).toBeUndefined();
  const chosen = FakeEncoder.instances.map(({ config }) => [config?.codec, config?.hardwareAcceleration]);
  const hardware = ['avc1.64001e', 'no-preference'];
  const software = ['avc1.64001e', 'prefer-software'];
  expect(chosen).toEqual([hardware, hardware, software, software]); // Each is tried with a frame first.
});

test('without an encoder the hint is where there is one', async () => {
  vi.stubGlobal('VideoEncoder', undefined);
  const { video, problem } = await record();
  expect(video).toBeNull();
  expect(problem?.message).toContain('no video encoder');
  expect(problem?.hint).toMatch(/open this page in a current Chrome/);
});
