// Waits for the end of a press: what appears below a pressed pointer would move its target away, and the click would be lost.
let pressed = false;

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
    },
    true,
  );
}

/** Runs `act` now, or after the click that the press under way ends with. */
export function afterPress(act: () => void): void {
  if (!pressed) act();
  else addEventListener('pointerup', () => void setTimeout(act), { once: true, capture: true });
}
