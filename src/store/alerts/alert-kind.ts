/** What an alert is about. Numbers are stored, so entries are only added; the names are in `ALERT_KINDS`. */
export const enum AlertKind {
  None = 0,
  /** A hardware address that was never seen before. */
  NewDevice = 1,
  /** A device of ours has reached a site that it had never reached before. */
  NewDestination = 2,
  /** A host has tried many ports or hosts within a minute, and had no answer. */
  PortScan = 3,
  /** More traffic on one day than `alerts.quota-mb-per-day`. */
  Quota = 4,
  /** Packets were lost. */
  CaptureLoss = 5,
  /** Rows cannot be stored. */
  Disk = 6,
  /** The machine is too hot, is throttled, or has too little voltage. */
  Temperature = 7,
  /** The wall clock was set. */
  Clock = 8,
}

/** Names of `AlertKind`, in its order. */
export const ALERT_KINDS = [
  '',
  'new_device',
  'new_destination',
  'port_scan',
  'quota',
  'capture_loss',
  'disk',
  'temperature',
  'clock',
] as const;
