import type { Host } from './host.js';

/** Where units lie, those of the administrator first. */
const FOLDERS = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];

/** Text of the service's unit, or null where it is not installed. */
export function unitText(host: Host): string | null {
  for (const folder of FOLDERS) {
    const text = host.text(`${folder}/flowberry.service`);
    if (text !== null) return text;
  }
  return null;
}
