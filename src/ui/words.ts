// Seconds and bytes in words, for the page's sentences.

/** “under a second”, “12 s”, “3 min 20 s”, “2 h 5 min”: coarser as it grows. */
export function inWords(seconds: number): string {
  if (!(seconds >= 1)) return 'under a second';
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 600) {
    const tens = Math.round(whole / 10) * 10;
    return tens % 60 === 0 ? `${tens / 60} min` : `${Math.floor(tens / 60)} min ${tens % 60} s`;
  }
  const minutes = Math.round(whole / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** “about 12 s”, but “under a second”. */
export function about(seconds: number): string {
  return seconds >= 1 ? `about ${inWords(seconds)}` : inWords(seconds);
}

/** The words at the beginning of a sentence. */
export function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** “640 kB”, “3.7 MB”, “15 MB”. */
export function sizeInWords(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
