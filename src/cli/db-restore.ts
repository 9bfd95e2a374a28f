import { restoreDatabase } from '../store/backup/restore.js';
import { StepProgress } from './step-progress.js';

/** `flowberry db restore`: puts a backup in the place of the database, and prints where the old one is now. Throws `AppError`. */
export async function runDbRestore(
  backupPath: string,
  databasePath: string,
  { json }: { readonly json: boolean },
): Promise<number> {
  const progress = new StepProgress();
  try {
    const { metadata, safetyCopy } = await restoreDatabase({
      backupPath,
      databasePath,
      nowMs: Date.now(),
      onProgress: (stage, ratio) => progress.show(stage, ratio),
    });
    progress.end();
    const made = new Date(metadata.created_us / 1000).toISOString();
    const lines = [
      `${databasePath}: ${metadata.facts.flows} flows, as they were at ${made}`,
      ...(safetyCopy === null ? [] : [`the database that was there is now ${safetyCopy}; delete it when you are content`]),
    ];
    process.stdout.write(
      json ? `${JSON.stringify({ path: databasePath, metadata, safety_copy: safetyCopy })}\n` : `${lines.join('\n')}\n`,
    );
    return 0;
  } finally {
    progress.end();
  }
}
