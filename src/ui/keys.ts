// Which keys are an input method's, as for Japanese or Chinese, and not the page's.

/** Enter and Escape choose characters then. Safari ends the composition before its last key, which has the code 229 (WebKit bug 165004). */
export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229;
}
