const CHARACTERS_PER_WRITE = 65_536;

/** The callback of a write tells of its failure; the event that tells it once more would end the process. */
const ignore = (): void => undefined;

/** Writes to standard output, as fast as that is read; false when it was closed, as `| head` does. */
export async function writeLines(lines: Iterable<string>): Promise<boolean> {
  const output = process.stdout;
  output.off('error', ignore).on('error', ignore);
  const write = async (text: string): Promise<boolean> => {
    const error = await new Promise<NodeJS.ErrnoException | null | undefined>((resolve) => output.write(text, resolve));
    if (error && error.code !== 'EPIPE') throw error;
    return !error;
  };
  let gathered = '';
  for (const line of lines) {
    gathered += `${line}\n`;
    if (gathered.length < CHARACTERS_PER_WRITE) continue;
    if (!(await write(gathered))) return false;
    gathered = '';
  }
  return await write(gathered);
}
