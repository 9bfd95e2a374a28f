import { vi } from 'vitest';

/** Runs a command with its output caught, and gives that with its exit code. */
export async function caught(
  command: () => number | Promise<number>,
): Promise<{ stdout: string; stderr: string; exitCode: number }> {
  const output = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text: string | Uint8Array, done?: unknown) => {
      output[stream] += text;
      if (typeof done === 'function') done(null);
      return true;
    }),
  );
  try {
    const exitCode = await command();
    return { ...output, exitCode };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
