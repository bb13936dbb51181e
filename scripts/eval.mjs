// `npm run eval -- --prompts 40 --samples 120 --note "how it was trained" --trained-minutes 100`: measures the shipped model with
// training/evaluate.py. Writes metrics.json and the model card's numbers beside the weights, and contact sheets into
// docs/evaluation. It trains nothing.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { root } from './site.mjs';

const needs = ['torch', 'numpy', 'PIL', 'safetensors', 'tokenizers', 'efficientnet_lite_pytorch'];

/** The first Python that has what the evaluation imports: $PYTHON, the one that CI sets up, the system's. */
function python() {
  const candidates = [process.env.PYTHON, join(root, 'node_modules', '.cache', 'python', 'bin', 'python'), 'python3'];
  const test = `import importlib.util as u, sys; sys.exit(any(u.find_spec(n) is None for n in ${JSON.stringify(needs)}))`;
  const found = candidates.find((path) => path && spawnSync(path, ['-c', test], { stdio: 'ignore' }).status === 0);
  if (!found) {
    throw new Error('no Python with the training packages: pip install --requirement training/requirements.txt');
  }
  return found;
}

function checkData() {
  const data = process.env.FLIPBOOK_DATA ?? join(homedir(), '.cache', 'flipbook');
  const steps = { 'clips.npy': 'data.py', 'table.pt': 'vocabulary.py', 'judge/judge.pt': 'train_judge.py' };
  for (const [file, script] of Object.entries(steps)) {
    if (!existsSync(join(data, file)))
      throw new Error(`${join(data, file)} is missing: python3 training/${script} makes it`);
  }
}

try {
  const program = python();
  if (!process.argv.includes('--help')) checkData();
  const child = spawn(program, ['-W', 'ignore', 'training/evaluate.py', ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
  });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => child.kill(signal));
  child.on('close', (code) => {
    process.exitCode = code ?? 1;
  });
} catch (error) {
  console.error(`npm run eval: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
