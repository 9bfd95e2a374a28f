import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from './daemon.js';

const DEVICES = ['null', 'zero', 'random', 'urandom'];
/** What useradd and dpkg write down about whatever they do. */
const NOISE = /^\/(etc\/(group|passwd|shadow|gshadow|subuid|subgid)-?|var\/lib\/dpkg\/|var\/log\/|var\/cache\/|tmp|root)/;

/** Why there can be no root of its own here, or null. */
export function rootObstacle(): string | null {
  if (process.getuid?.() !== 0) return 'needs root';
  for (const program of ['debootstrap', 'chroot', 'setpriv', 'dpkg-deb'])
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) return `needs ${program}`;
  return null;
}

/** A bare Debian in a folder, for `chroot`; it goes when the test has finished. */
export class CleanRoot {
  readonly folder = temporaryDirectory();

  /** `base` is a folder where debootstrap has been before, or is to work now; it is copied. */
  constructor(base: string) {
    if (!existsSync(path.join(base, 'etc', 'debian_version'))) this.bootstrap(base);
    execFileSync('cp', ['-a', `${base}/.`, this.folder]);
    mkdirSync(path.join(this.folder, 'dev'), { recursive: true });
    this.mount('--bind', '/proc', 'proc');
    // Sticky folders that everybody may write to protect their files from root as well.
    this.mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', 'dev');
    for (const name of DEVICES) {
      writeFileSync(path.join(this.folder, 'dev', name), '');
      this.mount('--bind', `/dev/${name}`, `dev/${name}`);
    }
  }

  /** Runs a shell command inside; throws with its output when it fails. */
  run(command: string): string {
    const { status, stdout, stderr } = spawnSync('chroot', [this.folder, 'sh', '-ec', command], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${command}: ${stdout}${stderr}`);
    return `${stdout}${stderr}`;
  }

  /** Copies a file to /tmp inside, and gives its place there. */
  bring(file: string): string {
    const place = path.posix.join('/tmp', path.basename(file));
    cpSync(file, path.join(this.folder, place));
    return place;
  }

  /** Every file and folder inside, but what is nobody's concern. */
  files(): string[] {
    const skipped = new Set(['proc', 'dev', 'sys', 'tmp']);
    const walk = (folder: string): string[] =>
      readdirSync(path.join(this.folder, folder), { withFileTypes: true }).flatMap((entry) => {
        const name = path.posix.join(folder, entry.name);
        if (folder === '/' && skipped.has(entry.name)) return [];
        return entry.isDirectory() ? [name, ...walk(name)] : [name];
      });
    return walk('/').filter((name) => !NOISE.test(name));
  }

  private bootstrap(base: string): void {
    execFileSync('debootstrap', ['--variant=minbase', 'bookworm', base], { stdio: 'ignore' });
  }

  private mount(...words: readonly string[]): void {
    const target = path.join(this.folder, words.at(-1) as string);
    execFileSync('mount', [...words.slice(0, -1), target]);
    onTestFinished(() => void spawnSync('umount', [target]));
  }
}
