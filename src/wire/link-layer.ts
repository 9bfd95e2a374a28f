import { TunnelType } from '../ring/tunnel-type.js';

/**
 * Layers that are followed in all, in one frame: every tag, label, shim and tunnel between the link header and the IP header
 * that makes the flow. A frame with more in front of its first IP header is refused; behind it, the walk ends where it stands.
 */
export const LAYERS_MAX = 16;

/** Where the walk through a frame has come to, and what it has met on its way. Reused for every frame. */
export class LinkLayer {
  /** Offset in the view of what `etherType` names. */
  offset = 0;
  etherType = 0;
  /** Outermost VLAN id, 0 for none. */
  vlanId = 0;
  /** Layers so far. */
  layers = 0;
  /** The outermost tunnel; `tunnelId` is a signed 32-bit word, valid only if `hasTunnelId` is 1. */
  tunnelType: TunnelType = TunnelType.None;
  tunnelId = 0;
  hasTunnelId = 0;
}
