// Waits for the end of a press: what appears below a pressed pointer would move its target away, and the click would be lost.
let pressed = false;
const waiting: (() => void)[] = [];

addEventListener(
  'pointerdown',
  () => {
    pressed = true;
  },
  true,
);
for (const end of ['pointerup', 'pointercancel'] as const) {
  addEventListener(
    end,
    () => {
      pressed = false;
      for (const act of waiting.splice(0)) setTimeout(act);
    },
    true,
  );
}

/** Runs `act` now, or after the click that the press under way ends with. */
export function afterPress(act: () => void): void {
  if (!pressed) act();
  else waiting.push(act);
}
