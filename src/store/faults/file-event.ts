/** What became of the file before the present one, as the table `file_events` has it. */
export interface FileEvent {
  readonly event: 'set_aside' | 'removed' | 'replaced';
  readonly detail: string;
}
