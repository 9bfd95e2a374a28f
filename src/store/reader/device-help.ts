/** What names a device wherever one is asked for, by the API and on the command line; `findDevice` goes by it. */
export const DEVICE_HELP =
  'id, MAC address, IP address or name of a device; a name that people gave it goes before those that devices tell';
