import type { Reporter, TestModule, TestSuite, Vitest } from 'vitest/node';

/**
 * Names every test that did not run, and why, at the end of a run. The reason is the note given to `context.skip(note)`, or
 * stands in the title of the test or of its suite: `describe.skipIf(!isRoot)('… (needs root)', …)`. A suite of which nothing
 * ran is one line.
 */
export class SkipReporter implements Reporter {
  private isSelection = false;

  onInit(vitest: Vitest): void {
    // With -t everything else counts as skipped, which is no news.
    this.isSelection = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (this.isSelection) return;
    const lines = modules.flatMap((module) => skippedIn(module).map((line) => `  ${module.relativeModuleId} > ${line}`));
    if (lines.length > 0) process.stdout.write(`Skipped, with the reason:\n${lines.join('\n')}\n\n`);
  }
}

function skippedIn(parent: TestModule | TestSuite): string[] {
  const lines: string[] = [];
  for (const child of parent.children) {
    if (child.type === 'test') {
      const result = child.result();
      if (result.state === 'skipped') lines.push(result.note ? `${child.fullName}: ${result.note}` : child.fullName);
    } else if (child.state() === 'skipped' && child.options.mode === 'skip') lines.push(`${child.fullName} (all of it)`);
    else lines.push(...skippedIn(child));
  }
  return lines;
}
