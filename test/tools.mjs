// Paths of the outside programs that judge our files in tests: ffprobe, ffmpeg, exiftool. All come from npm.
import { chmodSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** npm may skip the packages' install scripts, which would have made their programs executable. @param {string} path */
function executable(path) {
  if ((statSync(path).mode & 0o111) !== 0o111) {
    try {
      chmodSync(path, 0o755);
    } catch (cause) {
      if ((statSync(path).mode & 0o111) === 0) throw cause;
    }
  }
  return path;
}

/** @param {string} scope @param {string} name */
function platformBinary(scope, name) {
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  return executable(require.resolve(`@${scope}/${process.platform}-${process.arch}/${file}`));
}

export function ffprobe() {
  return platformBinary('ffprobe-installer', 'ffprobe');
}

export function ffmpeg() {
  return platformBinary('ffmpeg-installer', 'ffmpeg');
}

/** A Perl program: it needs the system's perl, which every Debian has. */
export function exiftool() {
  return executable(join(dirname(require.resolve('exiftool-vendored.pl/package.json')), 'bin', 'exiftool'));
}
