/** One line on standard error while a bench runs, where someone watches. */
export function showStep(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line} …`);
}

/** Takes that line away. */
export function endSteps(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}
