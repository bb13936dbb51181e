// What a thrown value says on its way from the worker to the page: never a stack, and a code that the page knows.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FlipbookError } from '../src/gpu/errors';
import { failureOf, isFailureCode } from '../src/protocol';

test.each([
  [
    'an error of the engine',
    new FlipbookError('limits', 'too large', { hint: 'less' }),
    ['limits', 'too large', 'less'],
  ],
  ['a failure', { code: 'gone', message: 'another came', hint: '' }, ['gone', 'another came', '']],
  ['an error that no one foresaw', new TypeError('no such thing'), ['unknown', 'no such thing', '']],
  ['one whose code is its own', new DOMException('aborted', 'AbortError'), ['unknown', 'aborted', '']],
  ['one without words', new RangeError(), ['unknown', 'RangeError', '']],
  ['what is no error', 'words', ['unknown', 'words', '']],
  ['nothing', undefined, ['unknown', 'undefined', '']],
  ['what cannot be made a string', [{ toString: 1 }], ['unknown', 'Something was thrown that says nothing.', '']],
  ['what only looks like a failure', { code: 'gone', message: 1, hint: null }, ['gone', '[object Object]', '']],
])('%s', (_name, thrown, [code, message, hint]) => {
  expect(failureOf(thrown)).toEqual({ code, message, hint });
});

test('whatever is thrown is told in words', () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true }), (thrown) => {
      const { code, message, hint } = failureOf(thrown);
      expect([isFailureCode(code), typeof message, typeof hint]).toEqual([true, 'string', 'string']);
    }),
    { numRuns: 2000 },
  );
});

test('codes', () => {
  expect(['device-lost', 'gone', 'stopped', 'unknown', 'toString', 20, undefined].map(isFailureCode)).toEqual([
    ...[true, true, true, true],
    ...[false, false, false],
  ]);
});
