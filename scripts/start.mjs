// `npm start`: installs what is missing, builds, serves on http://localhost:5173 and prints the address.
import { buildIfStale, install, serve } from './site.mjs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
try {
  if (major < 20 || (major === 20 && minor < 19) || major === 21 || (major === 22 && minor < 12))
    throw new Error(`Node ${process.versions.node} is too old: Flipbook needs Node 20.19, 22.12 or newer`);
  await install(console.error);
  await buildIfStale(console.error);
  const { address, close } = await serve({ port: 5173 });
  console.log(`Flipbook is on ${address}  (Ctrl+C ends it)`);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void close().finally(() => process.exit(0)));
} catch (error) {
  console.error(`npm start: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
