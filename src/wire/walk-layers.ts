import { Drop } from '../ring/drop-reason.js';
import { EtherType } from './ether-type.js';
import { readEthernet } from './ethernet.js';
import { readIeee80211 } from './ieee80211.js';
import { LAYERS_MAX, type LinkLayer } from './link-layer.js';
import { readLlc } from './llc.js';
import { readMpls } from './mpls.js';
import { readPpp } from './ppp.js';
import { readPppoe } from './pppoe.js';
import { readShim } from './shim.js';
import { readVlan } from './vlan.js';

/**
 * Walks on from `out.offset`, where `out.etherType` stands, to the next network layer. Returns `Drop.None` with `out` at IP or at
 * an EtherType that is not followed, or the reason why nothing more can be read. `view` must hold the bytes up to `end`.
 * Allocates nothing.
 */
export function walkLayers(view: DataView, end: number, out: LinkLayer): Drop {
  for (;;) {
    let drop: Drop;
    switch (out.etherType) {
      case EtherType.Ipv4:
      case EtherType.Ipv6:
        return Drop.None;
      case EtherType.Vlan:
      case EtherType.ServiceVlan:
      case EtherType.OldServiceVlan:
        drop = readVlan(view, end, out);
        break;
      case EtherType.MplsUnicast:
      case EtherType.MplsMulticast:
        drop = readMpls(view, end, out);
        break;
      case EtherType.PppoeSession:
        drop = readPppoe(view, end, out);
        break;
      case EtherType.Ppp:
        drop = readPpp(view, end, out);
        break;
      case EtherType.Ethernet:
        drop = readEthernet(view, end, out);
        break;
      case EtherType.Ieee80211:
      case EtherType.Ieee80211Turned:
        drop = readIeee80211(view, end, false, out);
        break;
      case EtherType.CiscoMetadata:
      case EtherType.VnTag:
      case EtherType.Hsr:
      case EtherType.BackboneService:
      case EtherType.FabricPath:
      case EtherType.ServiceHeader:
        drop = readShim(view, end, out);
        break;
      default:
        if (out.etherType >= EtherType.Min) return Drop.None;
        drop = readLlc(view, end, out);
    }
    if (drop !== Drop.None) return drop;
    if (out.layers++ === LAYERS_MAX) return Drop.LayersTooMany;
  }
}
