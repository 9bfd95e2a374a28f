import { AppError } from '../errors.js';
import { assertNever, type CaptureStart } from '../messages.js';
import { SocketEstate } from '../ring/socket-estate.js';
import { ThreadBlock } from '../ring/thread-block.js';
import { liveSetupOf } from './live-setup.js';
import type { PacketSource } from './source.js';
import type { WatchOptions } from './watched-source.js';

/**
 * Makes the source that `start` names; it is not opened yet. Each backend is loaded only when it is wanted. Throws
 * `CONFIG_VALUE_INVALID` for several interfaces with a backend that takes one.
 */
export async function createSource(start: CaptureStart): Promise<PacketSource> {
  const { config, source: spec } = start;
  switch (spec.type) {
    case 'file': {
      const { FileSource } = await import('./file-source.js');
      return new FileSource({ paths: spec.paths, snapBytes: config.captureSnapBytes });
    }
    case 'afpacket': {
      const { AfpacketSource, ANY_INTERFACE } = await import('./afpacket-source.js');
      // All interfaces together are never away.
      if (spec.interfaces[0] === ANY_INTERFACE) {
        const estate = new SocketEstate(start.memory.links, 0, new ThreadBlock(start.memory.capture));
        return new AfpacketSource(ANY_INTERFACE, config, estate);
      }
      return await watched(start, spec.interfaces, false, (name, estate) => new AfpacketSource(name, config, estate));
    }
    case 'cap': {
      const [name = '', ...others] = spec.interfaces;
      if (others.length > 0 || name === 'any')
        throw new AppError(
          'CONFIG_VALUE_INVALID',
          'the cap backend captures from one interface; afpacket takes several, and any',
        );
      const { CapSource } = await import('./cap-source.js');
      // Only Linux lets us see how an interface is.
      if (process.platform !== 'linux') return new CapSource(name, config);
      return await watched(start, spec.interfaces, true, (interfaceName) => new CapSource(interfaceName, config));
    }
    default:
      return assertNever(spec);
  }
}

async function watched(
  start: CaptureStart,
  names: readonly string[],
  needsUp: boolean,
  create: WatchOptions['create'],
): Promise<PacketSource> {
  const { WatchedSource } = await import('./watched-source.js');
  const setup = liveSetupOf(start);
  const sources = names.map((name, index) => new WatchedSource({ index, name, needsUp, create, setup }));
  if (sources.length === 1) return sources[0] as PacketSource;
  const { MultiSource } = await import('./multi-source.js');
  return new MultiSource(sources);
}
