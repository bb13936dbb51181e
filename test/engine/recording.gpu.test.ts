// Recording that ends midway leaves nothing on the GPU but weights, which the next attempt uses.
import { afterEach, expect, test, vi } from 'vitest';
import { type Engine, openEngine } from '../../src/generate';
import { Weights } from '../../src/weights/weights';
import { all, done, modelUrl, options } from '../generate/tiny';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Makes a clip where the convolution weights run out after `given`. @returns whether they did */
async function failsAfter(engine: Engine, given: number): Promise<boolean> {
  const conv = Weights.prototype.conv;
  let asked = 0;
  vi.spyOn(Weights.prototype, 'conv').mockImplementation(function (this: Weights, name) {
    if (asked++ === given) throw new RangeError('on purpose');
    return conv.call(this, name);
  });
  const outcome = await all(engine, options).then(done, (error: unknown) => error);
  vi.restoreAllMocks();
  if (asked > given) expect(outcome).toMatchObject({ message: 'on purpose' });
  else expect(outcome).toMatchObject({ type: 'done' });
  return asked > given;
}

test('wherever recording fails, a second failure leaves as much as the first, and then the clip is made', async () => {
  const engine = await openEngine({ modelUrl });
  let failures = 0;
  for (let given = 0; await failsAfter(engine, given); given += 4) {
    failures++;
    const left = engine.gpu.bytesInUse;
    expect(await failsAfter(engine, given)).toBe(true);
    expect(engine.gpu.bytesInUse, `after ${given} weights`).toBe(left);
  }
  expect(failures).toBeGreaterThan(5); // in both stages, stem and head
  expect(engine.clip?.frames).toBe(options.frames);
  engine.dispose();
});
