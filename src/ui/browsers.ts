// Which browsers have WebGPU, as advice to the visitor at hand. The user agent only picks the words: what the page may do
// is always decided by what the browser offers.

/**
 * One or two sentences: where to get WebGPU on this system.
 * @param touchPoints that the screen feels: an iPad calls itself a Macintosh, which feels none
 */
export function webGpuAdvice(userAgent: string, touchPoints = 0): string {
  const version = (name: string) => Number(new RegExp(`${name}/(\\d+)`).exec(userAgent)?.[1] ?? 0);
  const isApplePhone = /iPhone|iPad|iPod|CriOS|FxiOS/.test(userAgent);
  if (isApplePhone || (/Macintosh/.test(userAgent) && touchPoints > 1))
    return 'On iPhone and iPad, WebGPU came with Safari in iOS 26: update the system.';
  const firefox = version('Firefox');
  if (firefox > 0) return firefoxAdvice(userAgent, firefox);
  const chrome = version('Chrome');
  if (chrome > 0) return chromeAdvice(userAgent, chrome);
  if (/Safari\//.test(userAgent)) return 'Safari has WebGPU since version 26: update it, or use Chrome 127 or newer.';
  return 'Use a current Chrome or Edge (127 or newer), Safari 26, or Firefox (141 on Windows, 145 on Apple silicon).';
}

function firefoxAdvice(userAgent: string, version: number): string {
  if (/Windows/.test(userAgent)) {
    return version < 141
      ? 'Firefox on Windows has WebGPU since version 141: update it.'
      : 'Your Firefox should have WebGPU: see that dom.webgpu.enabled is true in about:config, and that the graphics driver is current.';
  }
  if (/Mac/.test(userAgent)) {
    return 'Firefox has WebGPU on Macs with Apple silicon since version 145. Safari 26 and Chrome 127 or newer have it on every Mac.';
  }
  if (/Android/.test(userAgent))
    return 'Firefox on Android does not offer WebGPU yet. Use Chrome 127 or newer, on Android 12.';
  return 'Firefox does not offer WebGPU on this system yet. Use Chrome or Chromium 144 or newer.';
}

function chromeAdvice(userAgent: string, version: number): string {
  if (/Android/.test(userAgent))
    return 'Chrome on Android has all of WebGPU that is needed since version 127, on Android 12 or newer: update it.';
  if (/Linux/.test(userAgent)) {
    return version < 144
      ? 'Chrome on Linux offers WebGPU from version 144 to 147 on, depending on the graphics chip: update it, or start it with --enable-unsafe-webgpu.'
      : 'Start Chrome with --enable-unsafe-webgpu, and see under chrome://gpu that hardware acceleration is on.';
  }
  return version < 127
    ? 'Chrome and Edge have all of WebGPU that is needed since version 127: update it.'
    : 'Turn on “Use graphics acceleration” in the browser’s system settings, update the graphics driver, and restart.';
}
