/** What a generated flow is made of. */
export const enum FlowKind {
  Tcp = 0,
  Dns = 1,
  UdpBulk = 2,
  IcmpEcho = 3,
}

/** How the data of a TCP flow run. */
export const enum TcpProfile {
  /** Three full segments from the server, then an acknowledgement. */
  Download = 0,
  /** A full segment from the server, then an acknowledgement. */
  DownloadPaced = 1,
  /** As `DownloadPaced`, the other way round. */
  Upload = 2,
  /** Small request, middling answer, acknowledgement. */
  Chat = 3,
}

/** The flows that are under way, as columns by slot. Everything about a flow is here; it has no object of its own. */
export class OpenFlows {
  /** A `FlowKind`. */
  readonly kind: Uint8Array;
  /** 4 or 6. */
  readonly ipVersion: Uint8Array;
  readonly client: Uint16Array;
  readonly server: Uint16Array;
  /** Identifier instead of a port for ICMP, where it is no part of the key. */
  readonly clientPort: Uint16Array;
  readonly serverPort: Uint16Array;
  /** A `TcpProfile`. */
  readonly profile: Uint8Array;
  /** 1 when a TCP flow ends with a RST. */
  readonly endsWithReset: Uint8Array;
  /** 1 when the client's TCP sends timestamps, which makes the header 32 bytes long. */
  readonly timestamps: Uint8Array;
  /** Server that a DNS flow asks for. */
  readonly askedServer: Uint16Array;
  /** Packets of the flow in all, and so far. */
  readonly packets: Int32Array;
  readonly packetsSent: Int32Array;
  readonly clientSequence: Int32Array;
  readonly serverSequence: Int32Array;

  constructor(readonly capacity: number) {
    this.kind = new Uint8Array(capacity);
    this.ipVersion = new Uint8Array(capacity);
    this.client = new Uint16Array(capacity);
    this.server = new Uint16Array(capacity);
    this.clientPort = new Uint16Array(capacity);
    this.serverPort = new Uint16Array(capacity);
    this.profile = new Uint8Array(capacity);
    this.endsWithReset = new Uint8Array(capacity);
    this.timestamps = new Uint8Array(capacity);
    this.askedServer = new Uint16Array(capacity);
    this.packets = new Int32Array(capacity);
    this.packetsSent = new Int32Array(capacity);
    this.clientSequence = new Int32Array(capacity);
    this.serverSequence = new Int32Array(capacity);
  }
}
