// The stage in a real page, on a made-up engine, for tests of its parts. Downloads are noted and go nowhere.
import { h, render } from 'preact';
import { afterEach, beforeEach, vi } from 'vitest';
import { createSession, type Session, type SessionOptions } from '../../src/ui/session';
import { Stage } from '../../src/ui/stage';
import '../../src/ui/style/page.css';
import { type FakeEngine, fakeEngine } from './fake-engine';
import { emptyStore } from './visit';

/** Of the test that runs: its engine, where it renders, and the names of files that were saved. */
export let engine: FakeEngine;
export let root: HTMLElement;
export let saved: string[] = [];

/** To be called once by a file of tests. */
export function onStage(): void {
  beforeEach(() => {
    saved = [];
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
      saved.push(this.download);
    });
    sessionStorage.clear();
    localStorage.clear();
    engine = fakeEngine();
    // As index.html and app.tsx have it around the stage.
    root = document.createElement('div');
    root.className = 'page';
    document.body.append(root);
  });
  afterEach(() => {
    render(null, root);
    root.remove();
    vi.restoreAllMocks();
  });
}

export function open(options: SessionOptions = {}): Session {
  const session = createSession(engine, { clipStore: emptyStore, ...options });
  render(h('main', {}, h(Stage, { session })), root);
  return session;
}

export const button = (name: string) =>
  [...document.querySelectorAll('button')].find(({ textContent }) => textContent.includes(name)) as HTMLButtonElement;
export const notice = () => document.querySelector('.notice')?.textContent ?? '';
