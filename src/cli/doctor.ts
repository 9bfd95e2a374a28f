import { type Config, resolveConfig } from '../config.js';
import type { Verdict } from '../doctor/check.js';
import { type Diagnosis, examine } from '../doctor/doctor.js';
import { Host } from '../doctor/host.js';
import { systemProbes } from '../doctor/probes.js';

const MARKS: Readonly<Record<Verdict, string>> = { ok: 'ok     ', warn: 'warn   ', fail: 'FAIL   ', unknown: 'unknown' };

/** One line for each check, and below it the command that mends what is wrong. */
export function formatDiagnoses(found: readonly Diagnosis[]): string {
  const width = Math.max(...found.map(({ name }) => name.length));
  const lines = found.map(({ name, verdict, why, mend }) => {
    const line = `${MARKS[verdict]}  ${name.padEnd(width)}  ${why}`;
    return mend === undefined ? line : `${line}\n${' '.repeat(MARKS[verdict].length + width + 4)}$ ${mend}`;
  });
  const count = (verdict: Verdict): number => found.filter((entry) => entry.verdict === verdict).length;
  return `${lines.join('\n')}\n\n${count('fail')} failed, ${count('warn')} warnings, ${count('unknown')} unknown, ${count('ok')} ok\n`;
}

/** `flowberry doctor`: tells what this machine lacks for years of unattended work. Returns 1 if something fails, else 0. */
export async function runDoctor(readConfig: () => Config, { json }: { readonly json: boolean }): Promise<number> {
  const found = await examine(new Host(systemProbes), readConfig, resolveConfig());
  process.stdout.write(json ? `${JSON.stringify({ checks: found })}\n` : formatDiagnoses(found));
  return found.some(({ verdict }) => verdict === 'fail') ? 1 : 0;
}
