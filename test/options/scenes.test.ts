// Stories: where one scene ends in a prompt, how many pictures that takes, and where each stands in the loop.
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawnPictures, placesOf, sceneLimits, scenesOf } from '../../src/scenes';

test.each([
  ['a cat', ['a cat']],
  ['', ['']],
  ['egg > hatching chick > rooster', ['egg', 'hatching chick', 'rooster']],
  ['egg>chick', ['egg', 'chick']],
  ['egg -> chick --> rooster', ['egg', 'chick', 'rooster']],
  ['egg → chick => rooster', ['egg', 'chick', 'rooster']],
  ['a t-shirt - blue > a jack-o-lantern', ['a t-shirt - blue', 'a jack-o-lantern']],
  ['a <cat> & a <dog> > a bird', ['a <cat> & a <dog>', 'a bird']],
  ['I <3 you > love', ['I <3 you', 'love']],
  ['cat > > dog', ['cat', '', 'dog']],
  ['> cat >', ['', 'cat', '']],
  ['a <red-> cat -> a <<b>> dog', ['a <red-> cat', 'a <<b>', 'dog']],
  ['a < b > c', ['a < b', 'c']],
])('%j is %j', (prompt, scenes) => {
  expect(scenesOf(prompt)).toEqual(scenes);
});

test('no script of the page has a lookbehind, which Safari before 16.4 cannot read: it says nothing at all then', () => {
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
  expect(sources).toContain('scenes.ts');
  expect(sources.filter((name) => /\(\?<[!=]/.test(readFileSync(`src/${name}`, 'utf8')))).toEqual([]);
});

test('a picture for every scene, but for one that is given and kept whole', () => {
  expect(drawnPictures({ prompt: 'a cat' })).toBe(1);
  expect(drawnPictures({ prompt: 'a > b > c' })).toBe(3);
  expect(drawnPictures({ prompt: '', picture: 'ab' })).toBe(0);
  expect(drawnPictures({ prompt: '> b > c', picture: 'ab' })).toBe(2);
  expect(drawnPictures({ prompt: 'a > b > c', picture: 'ab', redraw: '4,4,8,8' })).toBe(3);
});

describe('places', () => {
  test.each([
    [1, 3, [{ at: 0, near: [0, 1, 2] }]],
    [
      2,
      4,
      [
        { at: 0, near: [0, 1, 3] }, // as near to both: the earlier one
        { at: 2, near: [2] },
      ],
    ],
    [
      3,
      12,
      [
        { at: 0, near: [0, 1, 2, 10, 11] },
        { at: 4, near: [3, 4, 5, 6] },
        { at: 8, near: [7, 8, 9] },
      ],
    ],
  ])('%d scenes in %d latent frames', (scenes, frames, places) => {
    expect(placesOf(scenes, frames)).toEqual(places);
  });

  test('every frame goes by one picture, no other is nearer, and each scene stands in a frame of its own', () => {
    const sizes = fc
      .integer({ min: 1, max: sceneLimits.most })
      .chain((scenes) =>
        fc.tuple(fc.constant(scenes), fc.integer({ min: sceneLimits.latentFrames * scenes, max: 36 })),
      );
    fc.assert(
      fc.property(sizes, ([scenes, frames]) => {
        const places = placesOf(scenes, frames);
        const steps = (from: number, to: number) =>
          Math.min((from - to + frames) % frames, (to - from + frames) % frames);
        expect(places.flatMap(({ near }) => near).sort((a, b) => a - b)).toEqual(
          Array.from({ length: frames }, (_, i) => i),
        );
        for (const { at, near } of places) {
          expect(near).toContain(at);
          for (const frame of near) {
            for (const other of places) expect(steps(frame, at)).toBeLessThanOrEqual(steps(frame, other.at));
          }
        }
      }),
    );
  });
});
