// What was made for something that then fails is freed.

/** What `record` gives. Where it throws, nobody holds `owned`, which it recorded into: they are disposed of here. */
export function disposeOnThrow<Result>(owned: readonly { dispose(): void }[], record: () => Result): Result {
  try {
    return record();
  } catch (error) {
    for (const each of owned) each.dispose();
    throw error;
  }
}
