// When what is on the page is stored: at once, but for what a link brought. That becomes the visitor's own, in place of what
// is stored, only when they change something. Where and how it is stored is settings.ts's.
import { computed, effect, type ReadonlySignal, signal } from '@preact/signals';
import type { Form } from './form';
import { everywhere, savePicture, saveSettings, thisTab } from './settings';
import type { StartPictureState } from './start-picture';

export interface Memory {
  /** Whether the page shows what a link says, and nothing of it is stored. */
  readonly borrowed: ReadonlySignal<boolean>;
  /** What is on the page now came with a link. */
  borrow(): void;
}

/** @param isLinked the page was opened by a link */
export function createMemory(
  { settings, said }: Pick<Form, 'settings' | 'said'>,
  { picture, missing }: Pick<StartPictureState, 'picture' | 'missing'>,
  isLinked: boolean,
): Memory {
  /** What a link brought, until something of it is changed. */
  const linked = signal(isLinked ? said.value : undefined);
  const borrowed = computed(() => linked.value === said.value);
  // A reloaded tab must not overwrite newer changes from another tab: until something changes here, save for this tab alone.
  let isBeginning = true;
  const places = () => (isBeginning ? thisTab : everywhere);
  // Both with every change: a new tab begins with what one tab had, not with the settings of one and the picture of another.
  effect(() => {
    if (borrowed.value) return;
    linked.value = undefined;
    saveSettings(settings.value, places());
    savePicture({ picture: picture.value, missing: missing.value }, places());
  });
  // `effect` has run it once by now, before it returned: from here on it runs after changes.
  isBeginning = false;
  return {
    borrowed,
    borrow() {
      linked.value = said.value;
    },
  };
}
