import { type InterfaceInfo, listInterfaces } from '../capture/interfaces.js';

const HEADINGS = ['NAME', 'STATE', 'LINK TYPE', 'MAC', 'ADDRESSES'];

function cells(entry: InterfaceInfo): string[] {
  const state = entry.isUp ? entry.state : 'off';
  return [
    entry.isDefault ? `${entry.name} *` : entry.name,
    state,
    entry.linkType ?? '-',
    entry.mac ?? '-',
    entry.addresses.join(' ') || '-',
  ];
}

function table(lines: readonly string[][]): string {
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** `flowberry interfaces`: prints what can be captured from, as a table or as JSON. Returns the exit code. */
export async function runInterfaces({ json }: { readonly json: boolean }): Promise<number> {
  const interfaces = listInterfaces();
  if (json) {
    const objects = interfaces.map((entry) => ({
      name: entry.name,
      up: entry.isUp,
      state: entry.state,
      loopback: entry.isLoopback,
      addresses: entry.addresses,
      mac: entry.mac,
      link_type: entry.linkType,
      default: entry.isDefault,
    }));
    process.stdout.write(`${JSON.stringify(objects)}\n`);
    return 0;
  }
  const note = interfaces.some((entry) => entry.isDefault) ? '\n* the default route leaves here\n' : '';
  process.stdout.write(`${table([HEADINGS, ...interfaces.map(cells)])}\n${note}`);
  return 0;
}
