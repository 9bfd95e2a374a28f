/** The part of the optional package cap 0.2.1 that is used; it brings no types of its own. */
declare module 'cap' {
  /** One capture. It is an event emitter by prototype only. */
  export class Cap {
    /**
     * Opens `device` and starts to fill `buffer` with one packet at a time. Returns the link type by name. After a failure the
     * object must neither be opened again nor closed.
     */
    open(device: string, filter: string, bufferBytes: number, buffer: Buffer): string;
    close(): boolean;
    /** `byteCount` bytes of the packet are in the buffer; `isTruncated` when it did not fit. */
    on(event: 'packet', listener: (byteCount: number, isTruncated: boolean) => void): this;
  }

  const addon: { readonly Cap: typeof Cap; readonly deviceList: () => { readonly name: string }[] };
  export default addon;
}
