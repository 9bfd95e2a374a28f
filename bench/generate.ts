import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../src/errors.js';
import { type CaptureParameters, type CaptureTruth, GENERATOR_VERSION, generatePackets } from './generate/packets.js';
import { BENCH_PREFIX } from './temporary.js';

/** A generated capture file, and what is in it. */
export interface GeneratedCapture {
  readonly path: string;
  readonly parameters: CaptureParameters;
  readonly truth: CaptureTruth;
  /** Of the whole file. */
  readonly sha256: string;
}

interface Manifest extends GeneratedCapture {
  readonly generatorVersion: number;
}

/** Where a capture with these parameters is kept. */
function capturePath({ packets, flows, seed }: CaptureParameters, directory: string): string {
  return join(directory, `${BENCH_PREFIX}v${GENERATOR_VERSION}-${packets}-packets-${flows}-flows-seed-${seed}.pcap`);
}

/** The capture that an earlier run left, if it is complete. */
function findCapture(path: string): GeneratedCapture | null {
  try {
    const manifest = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as Manifest;
    if (manifest.generatorVersion !== GENERATOR_VERSION || statSync(path).size !== manifest.truth.fileBytes) return null;
    return { path, parameters: manifest.parameters, truth: manifest.truth, sha256: manifest.sha256 };
  } catch {
    // Missing or cut short: it is generated again.
    return null;
  }
}

function writePieces(file: number, hash: Hash, parameters: CaptureParameters): CaptureTruth {
  return generatePackets(parameters, (piece) => {
    for (let written = 0; written < piece.length; ) written += writeSync(file, piece, written);
    hash.update(piece);
  });
}

/**
 * Gives the generated capture with these parameters, which the caller has checked: the one from an earlier run, or a new one.
 * It is written piece by piece under another name first, so a file under its own name is complete. Throws
 * `BENCH_FILE_NOT_WRITABLE`.
 */
export function generateCapture(parameters: CaptureParameters, directory = tmpdir()): GeneratedCapture {
  const path = capturePath(parameters, directory);
  const found = findCapture(path);
  if (found) return found;
  const partial = `${path}.${process.pid}.partial`;
  try {
    const hash = createHash('sha256');
    const file = openSync(partial, 'wx', 0o644);
    let truth: CaptureTruth;
    try {
      truth = writePieces(file, hash, parameters);
    } finally {
      closeSync(file);
    }
    renameSync(partial, path);
    const capture: GeneratedCapture = { path, parameters, truth, sha256: hash.digest('hex') };
    writeFileSync(`${path}.json`, JSON.stringify({ ...capture, generatorVersion: GENERATOR_VERSION } satisfies Manifest));
    return capture;
  } catch (error) {
    rmSync(partial, { force: true });
    throw new AppError('BENCH_FILE_NOT_WRITABLE', `cannot write ${path}: ${(error as Error).message}`, { cause: error });
  }
}
