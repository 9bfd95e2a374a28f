/** Where the four digits of a server's number stand in its name. */
const DIGITS_OFFSET = 1;

/** Name of server 0, which has the length of all. */
export const SERVER_NAME = 's0000.example.net';

/** Turns the name at `offset` into that of `server`, 0 to 9999. */
export function writeServerNumber(view: DataView, offset: number, server: number): void {
  for (let digit = 3, rest = server; digit >= 0; digit--, rest = Math.floor(rest / 10))
    view.setUint8(offset + DIGITS_OFFSET + digit, 48 + (rest % 10));
}
