// `npm test`: installs what is missing, then type checks, lint, unit tests, end-to-end tests, the variants for better
// adapters and Firefox, all of them even after a failure, and ends with one line `N passed, N failed`. A skipped test and a suite
// without tests count as failures. `npm test -- types lint unit e2e variants firefox` runs only the named parts.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { install, root } from './site.mjs';

const reports = join(root, 'node_modules', '.cache', 'reports');

/** @typedef {{ passed: number, failed: number }} Count */
/** @typedef {{ stats: { expected: number, unexpected: number, flaky: number, skipped: number } }} PlaywrightReport */

const minute = 60_000;
/** @type {Readonly<Record<string, (byName: boolean) => Promise<Count>>>} */
const parts = {
  types: () =>
    check('types', [
      ['tsc', '-p', 'tsconfig.json'],
      ['tsc', '-p', 'tsconfig.test.json'],
    ]),
  lint: () => check('lint', [['biome', 'check', '.']]),
  unit,
  e2e,
  variants,
  firefox,
};

/**
 * Runs a program of node_modules/.bin, or of the system. Its exit code, or 1 where it had to be stopped.
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, timeout?: number }} [options] timeout in milliseconds
 * @returns {Promise<number>}
 */
function run(command, args, { env = {}, timeout = 5 * minute } = {}) {
  return new Promise((resolve) => {
    const path = existsSync(join(root, 'node_modules', '.bin', command))
      ? join(root, 'node_modules', '.bin', command)
      : command;
    // A group of its own, so that a timeout ends browsers and servers too.
    const child = spawn(path, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    });
    const end = (/** @type {NodeJS.Signals} */ signal) => {
      try {
        if (child.pid) process.kill(-child.pid, signal);
      } catch {
        // It has ended meanwhile.
      }
    };
    const timer = setTimeout(() => {
      console.error(`${command} did not end within ${timeout / minute} minutes`);
      // Playwright and Vitest close their servers and browsers when asked; what does not listen is killed.
      end('SIGINT');
      setTimeout(() => end('SIGKILL'), 10_000).unref();
    }, timeout);
    const interrupted = () => {
      end('SIGTERM');
      process.exit(130);
    };
    process.once('SIGINT', interrupted);
    process.once('SIGTERM', interrupted);
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(1);
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      process.off('SIGINT', interrupted);
      process.off('SIGTERM', interrupted);
      resolve(code ?? 1);
    });
  });
}

/** @param {string} name @param {[string, ...string[]][]} commands @returns {Promise<Count>} */
async function check(name, commands) {
  for (const [command, ...args] of commands) {
    if ((await run(command, args)) !== 0) return tell(name, { passed: 0, failed: 1 });
  }
  return tell(name, { passed: 1, failed: 0 });
}

/** @returns {Promise<Count>} */
function unit() {
  return vitest('unit', [], { timeout: 15 * minute });
}

/** Kernels for `shader-f16` and subgroups, in Node. @param {boolean} byName */
function variants(byName) {
  return whereItCan('variants', byName, async () => {});
}

/** The browser tests in a second browser. @param {boolean} byName */
function firefox(byName) {
  return whereItCan('firefox', byName, async () => {
    const { firefox } = await import('./ensure-firefox.mjs');
    console.log(`Firefox: ${(await firefox(console.log)).executablePath}`);
  });
}

/**
 * Runs what needs a Vulkan driver and `more`. Where the machine has not got them and they cannot be fetched, that is a failure if
 * this part was asked for by name; else it is said, and nothing is counted. What is there and does not do is a failure.
 * @param {string} name of the part and its configuration
 * @param {boolean} byName
 * @param {() => Promise<void>} more
 * @returns {Promise<Count>}
 */
async function whereItCan(name, byName, more) {
  const { Unavailable } = await import('./debian.mjs');
  const { vulkan } = await import('./ensure-vulkan.mjs');
  try {
    await more();
    const { env, name: adapter } = await vulkan(console.log);
    console.log(`Vulkan: ${adapter}`);
    return await vitest(name, ['--config', `vitest.${name}.config.ts`], { timeout: 10 * minute, env });
  } catch (error) {
    if (!byName && error instanceof Unavailable) {
      console.log(`${name}: NOT RUN, and not counted: ${messageOf(error)}`);
      return { passed: 0, failed: 0 };
    }
    console.error(`${name}: ${messageOf(error)}`);
    return tell(name, { passed: 0, failed: 1 });
  }
}

/** @param {string} name @param {string[]} args @param {{ env?: NodeJS.ProcessEnv, timeout: number }} options */
async function vitest(name, args, { timeout, env }) {
  const report = join(reports, `${name}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const code = await run('vitest', ['run', ...args, ...reporters], { timeout, env: { ...env, NO_COLOR: '1' } });
  return count(name, code, report, (/** @type {{ numPassedTests: number, numTotalTests: number }} */ json) => ({
    passed: json.numPassedTests,
    failed: json.numTotalTests - json.numPassedTests,
  }));
}

/** @returns {Promise<Count>} */
async function e2e() {
  const report = join(reports, 'e2e.json');
  const code = await run('playwright', ['test', '--reporter=list,json'], {
    timeout: 20 * minute,
    env: { PLAYWRIGHT_JSON_OUTPUT_NAME: report, NO_COLOR: '1', FORCE_COLOR: undefined },
  });
  return count('e2e', code, report, (/** @type {PlaywrightReport} */ { stats }) => ({
    passed: stats.expected,
    failed: stats.unexpected + stats.flaky + stats.skipped,
  }));
}

/**
 * The counts of a report. No report, no test, or an exit code that the counts do not explain is one failure.
 * @template Report
 * @param {string} name
 * @param {number} code of the program that wrote it
 * @param {string} report its path
 * @param {(json: Report) => Count} read
 */
async function count(name, code, report, read) {
  /** @type {Count} */
  let counts = { passed: 0, failed: 0 };
  try {
    counts = read(JSON.parse(await readFile(report, 'utf8')));
  } catch (error) {
    console.error(`${name}: no report (${messageOf(error)})`);
  }
  if (counts.failed === 0 && (code !== 0 || counts.passed === 0)) counts.failed = 1;
  return tell(name, counts);
}

/** @param {string} name @param {Count} counts */
function tell(name, counts) {
  console.log(`${name}: ${counts.passed} passed, ${counts.failed} failed`);
  return counts;
}

async function main() {
  const asked = process.argv.slice(2);
  const unknown = asked.filter((name) => !Object.hasOwn(parts, name));
  if (unknown.length > 0)
    throw new Error(`unknown part ${unknown.join(', ')}: expected ${Object.keys(parts).join(', ')}`);
  await install(console.log);
  await rm(reports, { recursive: true, force: true });
  await mkdir(reports, { recursive: true });
  if (asked.length === 0 || asked.includes('unit') || asked.includes('e2e')) {
    const { browser } = await import('./ensure-browser.mjs');
    const { executablePath, source } = await browser();
    console.log(`Browser: ${executablePath} (${source})`);
  }
  /** @type {Count} */
  const total = { passed: 0, failed: 0 };
  for (const name of asked.length > 0 ? asked : Object.keys(parts)) {
    const { passed, failed } = await parts[name](asked.includes(name));
    total.passed += passed;
    total.failed += failed;
  }
  return total;
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

const total = await main().catch((error) => {
  console.error(messageOf(error));
  return { passed: 0, failed: 1 };
});
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
console.log(`${total.passed} passed, ${total.failed} failed`);
