/** Why the database takes no rows. The texts for people are in `WRITE_FAULTS`. */
export const enum WriteFault {
  None = 0,
  Busy = 1,
  DiskFull = 2,
  ReadOnly = 3,
  InputOutput = 4,
  Damaged = 5,
  Foreign = 6,
  Newer = 7,
  Other = 8,
}

/** Texts of `WriteFault`, in its order. */
export const WRITE_FAULTS = [
  '',
  'another process holds the database',
  'the disk is full',
  'the file or the file system is read-only',
  'the disk answers with input/output errors',
  'the file is damaged',
  'a file that is none of flowberry lies in its place',
  'a file of a newer flowberry lies in its place',
  'the log says why',
] as const;
