import type { Config } from '../config.js';
import { assertNever, type SourceSpec } from '../messages.js';
import type { PacketSource } from './source.js';

/** Makes the source that `spec` names; it is not opened yet. Each backend is loaded only when it is wanted. */
export async function createSource(spec: SourceSpec, config: Config): Promise<PacketSource> {
  switch (spec.type) {
    case 'file': {
      const { FileSource } = await import('./file-source.js');
      return new FileSource({ paths: spec.paths, snapBytes: config.captureSnapBytes });
    }
    case 'afpacket': {
      const { AfpacketSource } = await import('./afpacket-source.js');
      return new AfpacketSource(spec.interface, config);
    }
    case 'cap': {
      const { CapSource } = await import('./cap-source.js');
      return new CapSource(spec.interface, config);
    }
    default:
      return assertNever(spec);
  }
}
