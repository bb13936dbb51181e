// What the page says of what it did: the line below the stage, a failure in full, and the live region that screen readers read.
// The words are messages.ts's, and how often the region speaks is announcer.ts's.
import { type Signal, signal } from '@preact/signals';
import { type Failure, failureOf } from '../protocol';
import { createAnnouncer } from './announcer';
import { broadcast } from './broadcast';
import { inFull } from './messages';

/** What went wrong, and whether that was a clip in the making, which can be tried again; else it was something done with one. */
export interface RunFailure extends Failure {
  readonly ofRun: boolean;
}

export interface Telling {
  /** The text of the live region. */
  readonly announcement: Signal<string>;
  /** One short line below the stage: what the last small action did. */
  readonly note: Signal<string>;
  readonly failure: Signal<RunFailure | undefined>;
  /** To screen readers alone. */
  say(message: string, urgent?: boolean): void;
  /** Below the stage, and to screen readers. */
  tell(message: string): void;
  /** In full, and to scripts; that something was cancelled is no failure. */
  fail(error: unknown, ofRun?: boolean): void;
}

export function createTelling(): Telling {
  const announcement = signal('');
  const note = signal('');
  const failure = signal<RunFailure | undefined>(undefined);
  const { say } = createAnnouncer((message) => {
    announcement.value = message;
  });
  const tell = (message: string) => {
    note.value = message;
    say(message, true);
  };
  return {
    announcement,
    note,
    failure,
    say,
    tell,
    fail(error, ofRun = false) {
      const reason = failureOf(error);
      if (reason.code === 'cancelled') return tell('Cancelled.');
      failure.value = { ...reason, ofRun };
      broadcast({ type: 'failure', ...reason });
      say(inFull(reason), true);
    },
  };
}
