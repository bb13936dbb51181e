// Runs Vitest's browser tests in Firefox as it is installed, which Playwright cannot drive: the runner is a page, and all it takes
// is to open it. What a test asks of Playwright (`page.viewport`, user events) does not work there.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineBrowserProvider } from '@vitest/browser';
import type { BrowserProvider } from 'vitest/node';
import { firefox as found } from '../scripts/ensure-firefox.mjs';

/** WebGPU also where Firefox does not offer it yet (Linux) or knows nothing of the driver; no first-run pages, no reports. */
const preferences = {
  'dom.webgpu.enabled': true,
  'dom.webgpu.workers.enabled': true,
  'gfx.webgpu.ignore-blocklist': true,
  'browser.aboutwelcome.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.enabled': false,
  'app.normandy.enabled': false,
};

class FirefoxProvider implements BrowserProvider {
  readonly name = 'firefox';
  readonly supportsParallelism = false;
  #profile: string | undefined;
  #process: ChildProcess | undefined;

  getCommandsContext(): Record<string, unknown> {
    return {};
  }

  async openPage(_sessionId: string, url: string): Promise<void> {
    await this.close();
    this.#profile = await mkdtemp(join(tmpdir(), 'flipbook-firefox-'));
    const lines = Object.entries(preferences).map(([name, value]) => `user_pref('${name}', ${value});\n`);
    await writeFile(join(this.#profile, 'user.js'), lines.join(''));
    const args = ['--headless', '--no-remote', '--profile', this.#profile, url];
    const { executablePath, env } = await found(console.log);
    this.#process = spawn(executablePath, args, { stdio: 'ignore', env: { ...process.env, ...env } });
    this.#process.on('error', (error) => console.error(`Firefox: ${error.message}`));
  }

  async close(): Promise<void> {
    const running = this.#process;
    if (running && running.exitCode === null) {
      const ended = new Promise((resolve) => running.once('close', resolve));
      running.kill();
      await ended;
    }
    if (this.#profile) await rm(this.#profile, { recursive: true, force: true });
    this.#process = this.#profile = undefined;
  }
}

export const firefox = defineBrowserProvider({ name: 'firefox', providerFactory: () => new FirefoxProvider() });
