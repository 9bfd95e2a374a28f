import { ERRORS } from '../errors.js';
import { type CheckReport, checkDatabase, type OpenSession } from '../store/check.js';

/**
 * `flowberry db check`: prints what was checked, for people or as one JSON object, and answers with the exit code. Throws
 * `AppError` when the database cannot be opened.
 */
export async function runDbCheck(path: string, options: { readonly json: boolean }): Promise<number> {
  const report = checkDatabase(path);
  const failed = report.checks.filter((check) => !check.ok).length;
  const error = failed === 0 ? null : `database ${path}: ${failed} of ${report.checks.length} checks failed`;
  if (options.json) printJson(report, error);
  else printLines(report, error);
  return error ? ERRORS.DATABASE_INCONSISTENT.exitCode : 0;
}

function printJson(report: CheckReport, error: string | null): void {
  const object = {
    ok: error === null,
    path: report.path,
    schema_version: report.schemaVersion,
    flows: report.flows,
    packets: report.packets,
    checks: report.checks,
    open_sessions: report.openSessions.map((session) => ({
      key: session.key,
      source: session.source,
      started_us: session.startedUs,
      may_run: session.mayRun,
      packets_unwritten: session.packetsUnwritten,
    })),
    error: error && { code: 'DATABASE_INCONSISTENT', message: error },
  };
  process.stdout.write(`${JSON.stringify(object)}\n`);
}

function printLines(report: CheckReport, error: string | null): void {
  const lines = report.checks.map(
    (check) => `${check.ok ? 'ok  ' : 'FAIL'}  ${check.name}${check.detail && `: ${check.detail}`}`,
  );
  lines.push(...report.openSessions.map(describe));
  lines.push(`${report.path}: ${report.flows} flows, ${report.packets} packets, schema version ${report.schemaVersion}`);
  process.stdout.write(`${lines.join('\n')}\n`);
  if (error) process.stderr.write(`DATABASE_INCONSISTENT: ${error}. ${ERRORS.DATABASE_INCONSISTENT.hint}\n`);
}

function describe(session: OpenSession): string {
  const state = session.mayRun ? 'runs, or was killed' : 'was killed';
  const started = new Date(session.startedUs / 1000).toISOString();
  return `note  session ${session.key} of ${started} (${session.source}) ${state}; its last commit lacks ${session.packetsUnwritten} packets of open flows`;
}
