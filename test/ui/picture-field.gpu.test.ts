// The start picture's control: what was made here can be saved, to the last bit, and nothing else is offered to be.
import { h, render } from 'preact';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PictureField } from '../../src/ui/picture-field';
import { createSession } from '../../src/ui/session';
import { fakeEngine } from './fake-engine';
import { file, pixels, sha256 } from './pictures';
import { emptyStore } from './visit';

beforeEach(() => {
  sessionStorage.clear();
  localStorage.clear();
});
afterEach(() => {
  render(null, document.body);
  vi.restoreAllMocks();
});

const offer = () => [...document.querySelectorAll('button')].find(({ textContent }) => textContent === 'Save it');

test('a drawing can be saved as the file that its links name; a picture that was given can not', async () => {
  const readPicture = async ({ name }: File) => ({ name, sha256, pixels });
  const session = createSession(fakeEngine(), { readPicture, clipStore: emptyStore });
  render(h(PictureField, { session }), document.body);
  await session.usePicture(file('cat.png'));
  await vi.waitFor(() => expect(document.body.textContent).toContain('cat.png'));
  expect(offer()).toBeUndefined();
  await session.startFromSketch(new File(['strokes'], 'Drawing', { type: 'image/png' }));
  await vi.waitFor(() => expect(offer()).toBeDefined());
  const saved: [string, string][] = [];
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    saved.push([this.download, this.href]);
  });
  offer()?.click();
  const [[name, address]] = saved as [[string, string]];
  expect(name).toBe('drawing.png');
  expect(await (await fetch(address)).text()).toBe('strokes');
  expect(document.body.textContent).not.toContain('nowhere else'); // It is in that file now.
});
