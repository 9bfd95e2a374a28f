const NOBODY = 65_534;

/**
 * Why this process cannot act as another user for a moment, or null: Node refuses it where libuv may use io_uring (CVE-2024-22017), as that
 * of Debian may.
 */
export function otherUserObstacle(): string | null {
  try {
    if (!process.seteuid || !process.geteuid) return 'users';
    process.seteuid(process.geteuid());
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Does `work` as nobody if this is root, whom nothing is forbidden, and as the user that it is else. */
export async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    return await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}
