const CHARACTERS_PER_WRITE = 65_536;

/** Writes to standard output, as fast as that is read; false when it takes no more. Why that is, main tells. */
export async function writeLines(lines: Iterable<string>): Promise<boolean> {
  const write = async (text: string): Promise<boolean> => {
    const error = await new Promise<Error | null | undefined>((resolve) => process.stdout.write(text, resolve));
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
