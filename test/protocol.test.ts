// What a thrown value says on its way from the worker to the page: never a stack, and a code that the page knows.
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
])('%s', (_name, thrown, [code, message, hint]) => {
  expect(failureOf(thrown)).toEqual({ code, message, hint });
});

test('codes', () => {
  expect(['device-lost', 'gone', 'stopped', 'unknown', 'toString', 20, undefined].map(isFailureCode)).toEqual([
    ...[true, true, true, true],
    ...[false, false, false],
  ]);
});
