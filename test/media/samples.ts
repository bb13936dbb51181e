// Settings as a real clip has them, with characters that XML and terminals trip over.
import type { ClipMetadata } from '../../src/media/metadata';

export const sampleMetadata: ClipMetadata = {
  prompt: 'a dancing cat & "friends" <3 — 踊る猫 🐈‍⬛',
  seed: Number.MAX_SAFE_INTEGER,
  steps: 8,
  guidance: 4.5,
  frames: 36,
  sampler: 'flow-euler',
  background: '#fff8e9',
  model: 'sticker 0.1.0',
  modelHash: 'sha256-3b9ac9ff',
  appVersion: '0.1.0',
};
