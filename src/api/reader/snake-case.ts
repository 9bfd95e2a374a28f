/** The same data with names as the API has them: `packetsOut` becomes `packets_out`. Members that are undefined are left out. */
export function snakeCase(value: object): object {
  return renamed(value) as object;
}

const names = new Map<string, string>();

/** The names are members of our own types, so there are few. */
function snakeName(name: string): string {
  let snake = names.get(name);
  if (snake === undefined) {
    snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    names.set(name, snake);
  }
  return snake;
}

function renamed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(renamed);
  if (typeof value !== 'object' || value === null) return value;
  const shown: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) if (member !== undefined) shown[snakeName(name)] = renamed(member);
  return shown;
}
