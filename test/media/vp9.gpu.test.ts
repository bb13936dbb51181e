// The colours of VP9 are named, by the encoder or by us. Firefox's does not, Chromium's does: this runs in both.
import { ALL_FORMATS, BlobSource, EncodedPacketSink, Input } from 'mediabunny';
import { expect, test } from 'vitest';
import { Mp4Sink } from '../../src/media/mp4';
import { videoFrame } from '../../src/media/pixels';
import { frameTiming } from '../../src/media/sink';
import { nameRec709 } from '../../src/media/vp9';
import { patches } from './art';
import { OnlyVp9 } from './fake-encoder';

// The first bytes of key frames of profile 0, 512×512, as libvpx gives them in Firefox and in Chromium.
const unknown = [0x82, 0x49, 0x83, 0x42, 0x00, 0x1f, 0xf0, 0x1f];
const rec709 = [0x82, 0x49, 0x83, 0x42, 0x40, 0x1f, 0xf0, 0x1f];

test.for([
  ['a key frame without a colour space', unknown, rec709],
  ['one of Rec. 709', rec709, rec709],
  ['one of Rec. 601', rec709.with(4, 0x20), rec709.with(4, 0x20)],
  ['one of profile 2, whose colours come later', unknown.with(0, 0x92), unknown.with(0, 0x92)],
  ['a frame that is no key frame', [0x86, 0x00, 0x40, 0x92], [0x86, 0x00, 0x40, 0x92]],
  ['a frame that shows an earlier one', [0x88], [0x88]],
  ['another codec', [0, 0, 0, 1, 0x65], [0, 0, 0, 1, 0x65]],
  ['nothing', [], []],
] as const)('%s', ([, given, expected]) => {
  const data = Uint8Array.from(given);
  nameRec709(data);
  expect([...data]).toEqual(expected);
});

test('a file says that its frames are of Rec. 709, in each key frame and around them', async () => {
  const sink = await Mp4Sink.open({ width: 64, height: 64, fps: 1, Encoder: OnlyVp9 });
  for (let i = 0; i < 5; i++) await sink.add(videoFrame(patches(64), frameTiming(i, 1)));
  const input = new Input({ source: new BlobSource((await sink.close()).blob), formats: ALL_FORMATS });
  const track = (await input.getPrimaryVideoTrack())!;
  expect(await track.getColorSpace()).toEqual({
    primaries: 'bt709',
    transfer: 'bt709',
    matrix: 'bt709',
    fullRange: false,
  });
  const named: number[] = [];
  for await (const { type, data } of new EncodedPacketSink(track).packets()) {
    if (type === 'key') named.push(data[4]! >> 5);
  }
  expect(named).toEqual([2, 2, 2]); // every two seconds
  input.dispose();
});
