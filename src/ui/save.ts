// Hands files to the visitor, named after the clip that they are of, and shows them. It makes none.
/** `a-dancing-cat-7.mp4`: letters and digits of the clip's title, so that any system takes it, and its seed. */
export function fileName(title: string, seed: number | string | undefined, ending: string): string {
  const words = title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .slice(0, 40)
    .replace(/^-|-$/g, '');
  return `${[words || 'flipbook', seed].filter((part) => part !== undefined).join('-')}.${ending}`;
}

/** Starts a download. @param address an object URL, which must outlive it */
export function save(address: string, name: string): void {
  const anchor = document.createElement('a');
  anchor.href = address;
  anchor.download = name;
  anchor.click();
}

/** A video's address, for the eye alone. Safari on iPhones paints nothing of one that was never played or sought in. */
export function atFirstFrame(address: string): string {
  return `${address}#t=0.001`;
}

/** Frees an object URL once a download that was started from it surely has its bytes. */
export function releaseLater(address: string): void {
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
