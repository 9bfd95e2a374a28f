import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { type Api, createApi } from '../../src/api/create-api.js';
import { listenOn } from '../../src/api/listener.js';
import { Monitor } from '../../src/api/monitor.js';
import type { OptionValues } from '../../src/config.js';
import type { MaintenanceControl } from '../../src/messages.js';
import { Application } from '../../src/ring/application.js';
import { TcpState } from '../../src/ring/layout.js';
import { DeviceSource } from '../../src/ring/name-records.js';
import type { Writer } from '../../src/store/writer.js';
import { maintenance, unexpected } from './api-pipeline.js';
import { flow, NOW_MS, WriterRig } from './flow-records.js';
import { dns } from './name-records.js';

/** Reader threads run from the build. */
const READER_FILE = new URL('../../dist/src/api/reader/thread.js', import.meta.url);
export const HAS_BUILD = existsSync(READER_FILE);

const PI = 'b8:27:eb:12:34:56';

/** A database with `flowCount` flows of the last minutes, a device and DNS transactions, written by a real writer that stays open. */
export function storedRun(
  flowCount: number,
  path: string,
  options: OptionValues = {},
): { rig: WriterRig; writer: Writer; nowMs: number } {
  const rig = new WriterRig({ path, options: { ...options, 'batch.rows-min': 1 } });
  const nowMs = Date.now();
  const nowUs = nowMs * 1000;
  const writer = rig.open(nowMs);
  const seenUs = nowUs - 60_000_000;
  rig.emitDevice({ mac: PI, ip: '192.168.1.10', name: 'pi-hole', source: DeviceSource.Mdns, seenUs, emittedUs: seenUs });
  rig.emitDns(
    dns({ client: '192.168.1.10', query: 'www.example.com', emittedUs: nowUs - 30_000_000, seenUs: nowUs - 30_000_000 }),
  );
  for (let index = 0; index < flowCount; index++) {
    const startUs = nowUs - 60_000_000 + index * 1_000;
    rig.emit(
      flow({
        protocol: 6,
        tcpState: TcpState.Closed,
        srcPort: 20_000 + (index % 40_000),
        dstPort: 443,
        rttUs: [100, 2_000],
        application: Application.Tls,
        details: { sni: index % 2 === 0 ? 'www.example.com' : '<b>=1+1</b>.example.org' },
        startUs,
        endUs: startUs + 500,
        emittedUs: startUs + 600,
      }),
    );
    if (index % 100 === 99) while (writer.step(nowMs, false));
  }
  while (writer.step(nowMs, true));
  return { rig, writer, nowMs };
}

export interface ServedApi {
  readonly api: Api;
  readonly port: number;
  readonly rig: WriterRig;
}

/** The API over `rig`, listening, with reader threads of the build; the caller closes it. */
export async function serveRig(rig: WriterRig, controls: Partial<MaintenanceControl> = {}): Promise<ServedApi> {
  const { config, memory, session } = rig;
  const monitor = new Monitor({ memory, session: { ...session, startedUs: NOW_MS * 1000 }, config });
  const api = createApi({
    config,
    memory,
    monitor,
    maintenance: maintenance(controls),
    onDefect: unexpected,
    readerFile: READER_FILE,
  });
  const { port } = await listenOn(api.server, '127.0.0.1', 0);
  return { api, port, rig };
}

export interface Got {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
}

/** One request on a connection of its own. */
export function get(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Got> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    call.on('error', reject);
    call.end(body);
  });
}

/** Sends bytes as they are, `rest` when it is there, and reads until the server closes. */
export async function askRaw(port: number, text: string, rest?: Promise<string>): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    answer += part;
  });
  const closed = once(socket, 'close');
  socket.write(text);
  if (rest) socket.write(await rest);
  await closed;
  return answer;
}
