// Words for screen readers: polite and not too often. A burst is said as its last message; urgent ones go out at once.

export interface Announcer {
  say(message: string, urgent?: boolean): void;
}

/** @param speak puts the text into the live region. @param pause the shortest time between two messages, in ms. */
export function createAnnouncer(speak: (message: string) => void, pause = 15_000): Announcer {
  let last = Number.NEGATIVE_INFINITY;
  let said = '';
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    say(message, urgent = false) {
      clearTimeout(timer);
      const wait = urgent ? 0 : last + pause - Date.now();
      const now = () => {
        last = Date.now();
        said = message === said ? `${message}\u00a0` : message; // A region that does not change is not read again.
        speak(said);
      };
      if (wait <= 0) now();
      else timer = setTimeout(now, wait);
    },
  };
}
