import { destination, pino } from 'pino';
import type { LogLevel } from '../messages.js';
import type { Log } from '../pipeline.js';

/** The process's one logger: JSON lines on file descriptor `fd`, at `level` and above. Writes at once, so a crash loses none. */
export function createLog(level: LogLevel, fd: number): Log {
  const logger = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    destination({ fd, sync: true }),
  );
  return (lineLevel, message, fields) => logger[lineLevel](fields ?? {}, message);
}
