import { NotifySocket } from './notify-socket.js';
import { readExpectations } from './supervisor.js';

/** Asks the service manager to wait so long for the start, before there are threads that could be asked how far it is. */
export function askPatience(ms: number, environment: NodeJS.ProcessEnv = process.env): void {
  const { address } = readExpectations(environment, process.pid);
  if (!address) return;
  const socket = new NotifySocket(address);
  socket.send(`EXTEND_TIMEOUT_USEC=${Math.ceil(ms) * 1000}\nSTATUS=starting: the database is read into memory`);
  socket.close();
}
