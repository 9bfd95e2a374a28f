import { describe, expect, it } from 'vitest';
import { DnsDraft } from '../../src/parse/app/dns-draft.js';
import { DnsMessage } from '../../src/parse/app/dns-message.js';
import { DnsTransactions } from '../../src/parse/app/dns-transactions.js';
import { DnsTransport } from '../../src/ring/name-records.js';
import { Packet } from '../../src/wire/packet.js';
import { ANSWER, type DnsParts, dnsMessage, FIRST_NAME, inMemory, pointer, question, record } from '../helpers/dns-bytes.js';
import { DnsRows } from '../helpers/dns-rows.js';
import { address } from '../helpers/frame-bytes.js';

const SECOND_US = 1e6;
const START_US = 1_700_000_000 * SECOND_US;
const NAME = pointer(FIRST_NAME);
const CLIENT = 0x0a00_0002;
const SERVER = 0x0a00_0001;

interface Asked {
  readonly us?: number;
  readonly id?: number;
  readonly name?: string;
  readonly type?: number;
  readonly transport?: DnsTransport;
  readonly client?: number;
  readonly server?: number;
  readonly clientPort?: number;
  readonly serverPort?: number;
  readonly interfaceIndex?: number;
}

interface Answered extends Asked {
  readonly code?: number;
  readonly addresses?: readonly string[];
  readonly ttl?: number;
  readonly parts?: DnsParts;
}

/** Transactions with their own scene: messages go in, rows come out. */
class Scene {
  readonly sink = new DnsRows();
  readonly transactions = new DnsTransactions(this.sink);
  private readonly message = new DnsMessage();
  private readonly draft = new DnsDraft();

  ask(asked: Asked = {}): this {
    this.compose(false, asked, { questions: [question(asked.name ?? 'example.com', asked.type)] });
    this.transactions.ask(this.draft);
    return this;
  }

  answer(answered: Answered = {}): this {
    const { code = 0, addresses = ['192.0.2.1'], ttl = 300 } = answered;
    const answers = addresses.map((text) => record(NAME, 1, address(text), { ttl }));
    const parts = { questions: [question(answered.name ?? 'example.com', answered.type)], answers, ...answered.parts };
    this.compose(true, answered, { flags: ANSWER | code, ...parts });
    this.transactions.answer(this.draft);
    return this;
  }

  /** Name, code and latency of what came since the last call. */
  take(): string[] {
    return this.sink.take().map(({ name, code, latencyUs }) => `${name} ${code} ${latencyUs}`);
  }

  private compose(isResponse: boolean, asked: Asked, parts: DnsParts): void {
    const { id = 7, transport = DnsTransport.Udp, us = 0, interfaceIndex = 0 } = asked;
    const { client = CLIENT, server = SERVER, clientPort = 40_000, serverPort = 53 } = asked;
    const { view, offset, end } = inMemory(dnsMessage({ id, ...parts }));
    expect(this.message.read(view, offset, end)).toBe(true);
    const packet = new Packet();
    packet.ipVersion = 4;
    [packet.src3, packet.dst3] = isResponse ? [server, client] : [client, server];
    [packet.srcPort, packet.dstPort] = isResponse ? [serverPort, clientPort] : [clientPort, serverPort];
    this.draft.begin(transport, packet, isResponse, id, START_US + us, interfaceIndex);
    this.draft.setQuestion(this.message.name, this.message.type);
    if (isResponse) this.draft.setAnswers(this.message.code, this.message.answerCount, this.message.answers);
  }
}

describe('DNS transactions', () => {
  it('pair a query with its answer', () => {
    const scene = new Scene().ask({ us: 5, interfaceIndex: 3 });
    expect(scene.take()).toEqual([]);
    scene.answer({ us: 1_239, addresses: ['192.0.2.1', '192.0.2.2'], ttl: 60, interfaceIndex: 4 });
    expect(scene.sink.take()).toEqual([
      {
        transport: 'udp',
        client: '10.0.0.2 40000',
        server: '10.0.0.1 53',
        name: 'example.com',
        type: 1,
        code: 0,
        latencyUs: 1_234,
        us: START_US + 5,
        answerCount: 2,
        ttlS: 60,
        interfaceIndex: 3,
        answers: ['192.0.2.1', '192.0.2.2'],
      },
    ]);
    scene.transactions.flush();
    expect(scene.take()).toEqual([]);
  });

  it('pair names whatever the case of their letters', () => {
    // Resolvers mix it, so that a forger has more to guess.
    expect(new Scene().ask({ name: 'eXaMPle.cOm' }).answer({ us: 9, name: 'ExAmpLE.com' }).take()).toEqual(['example.com 0 9']);
  });

  it.each<[string, Answered]>([
    ['id', { id: 8 }],
    ['name', { name: 'example.org' }],
    ['longer name', { name: 'example.com.au' }],
    ['type', { type: 28 }],
    ['transport', { transport: DnsTransport.Tcp }],
    ['client', { client: 0x0a00_0003 }],
    ['server', { server: 0x0a00_0009 }],
    ["client's port", { clientPort: 40_001 }],
    ["server's port", { serverPort: 5353 }],
  ])('do not pair an answer with another %s', (_, other) => {
    const scene = new Scene().ask().answer({ us: 9, ...other });
    expect(scene.take()).toEqual([`${other.name ?? 'example.com'} 0 -1`]);
    scene.transactions.flush();
    expect(scene.take()).toEqual(['example.com -1 -1']);
  });

  it('are told by everything at once', () => {
    const scene = new Scene();
    const asked = [{}, { id: 8 }, { name: 'a' }, { type: 28 }, { clientPort: 1 }, { client: 5 }, { server: 5 }];
    asked.forEach((each, index) => {
      scene.ask({ ...each, us: index });
    });
    asked.forEach((each, index) => {
      scene.answer({ ...each, us: 100 + 2 * index });
    });
    expect(scene.sink.take().map(({ latencyUs }) => latencyUs)).toEqual(asked.map((_, index) => 100 + index));
  });

  it('give up on a query after 10 s', () => {
    const scene = new Scene().ask({ us: 0, name: 'a' }).ask({ us: 3 * SECOND_US, name: 'b', interfaceIndex: 5 });
    scene.transactions.expire(START_US + 10 * SECOND_US - 1);
    expect(scene.take()).toEqual([]);
    scene.transactions.expire(START_US + 10 * SECOND_US);
    expect(scene.take()).toEqual(['a -1 -1']);
    scene.transactions.expire(START_US + 13 * SECOND_US);
    expect(scene.sink.take()).toMatchObject([
      { name: 'b', us: START_US + 3 * SECOND_US, interfaceIndex: 5, answers: [], client: '10.0.0.2 40000', type: 1 },
    ]);
    // Then its answer comes too late.
    expect(scene.answer({ us: 14 * SECOND_US, name: 'b' }).take()).toEqual(['b 0 -1']);
  });

  it('give up by the time of packets as well', () => {
    const late = new Scene().ask({ name: 'a' }).answer({ us: 10 * SECOND_US, name: 'a' });
    expect(late.take()).toEqual(['a -1 -1', 'a 0 -1']);
    const other = new Scene().ask({ name: 'a' }).ask({ us: 11 * SECOND_US, name: 'b' });
    expect(other.take()).toEqual(['a -1 -1']);
  });

  it('wait for an answer from a query that is older than the clock', () => {
    const scene = new Scene();
    scene.transactions.expire(START_US + 3600 * SECOND_US);
    scene.ask().answer({ us: 20 });
    expect(scene.take()).toEqual(['example.com 0 20']);
  });

  it('have no latency when time went back, or forward by far', () => {
    expect(new Scene().ask({ us: 5 }).answer({ us: 4 }).take()).toEqual(['example.com 0 -1']);
    const scene = new Scene();
    scene.transactions.expire(START_US + 3600 * SECOND_US);
    expect(
      scene
        .ask()
        .answer({ us: 3000 * SECOND_US })
        .take(),
    ).toEqual(['example.com 0 -1']);
    expect(new Scene().ask({ us: 5 }).answer({ us: 5 }).take()).toEqual(['example.com 0 0']);
  });

  it('keep the first time of a query that is repeated, and emit it once', () => {
    const scene = new Scene()
      .ask()
      .ask({ us: 2 * SECOND_US })
      .answer({ us: 2 * SECOND_US + 70 });
    expect(scene.take()).toEqual([`example.com 0 ${2 * SECOND_US + 70}`]);
    const unanswered = new Scene().ask().ask({ us: 2 * SECOND_US });
    unanswered.transactions.flush();
    expect(unanswered.sink.take().map(({ us }) => us)).toEqual([START_US]);
  });

  it('begin anew when a query comes again behind its answer', () => {
    const scene = new Scene().ask().answer({ us: 10 }).ask({ us: 100 }).answer({ us: 130 });
    expect(scene.take()).toEqual(['example.com 0 10', 'example.com 0 30']);
    scene.ask({ us: 200 }).transactions.flush();
    expect(scene.take()).toEqual(['example.com -1 -1']);
  });

  it('leave out a copy of the answer, but not another answer', () => {
    const addresses = ['192.0.2.1', '192.0.2.2'];
    const scene = new Scene().ask().answer({ us: 10, addresses });
    expect(scene.take()).toHaveLength(1);
    scene.answer({ us: 11, addresses }).answer({ us: 12, addresses: addresses.toReversed(), ttl: 299 });
    expect(scene.take()).toEqual([]);
    // As one that is forged would be.
    scene
      .answer({ us: 13, addresses: ['192.0.2.66'] })
      .answer({ us: 14, addresses: ['192.0.2.1'] })
      .answer({ us: 15, addresses, code: 2 });
    expect(scene.sink.take().map(({ latencyUs, answers }) => [latencyUs, ...answers])).toEqual([
      [-1, '192.0.2.66'],
      [-1, '192.0.2.1'],
      [-1, ...addresses],
    ]);
    scene.answer({ us: 10 + 10 * SECOND_US - 1, addresses });
    expect(scene.take()).toEqual([]);
    scene.answer({ us: 10 + 10 * SECOND_US, addresses });
    expect(scene.take()).toEqual(['example.com 0 -1']);
  });

  it('find the query of an error that names nothing', () => {
    const scene = new Scene().ask({ name: 'a', id: 1, type: 28 }).ask({ name: 'b', id: 2 });
    scene.answer({ us: 40, id: 1, parts: { flags: 0x8001, questions: [], answers: [] } });
    expect(scene.sink.take()).toMatchObject([{ name: 'a', type: 28, code: 1, latencyUs: 40, answers: [] }]);
    scene.answer({ us: 50, id: 3, parts: { flags: 0x8001, questions: [], answers: [] } });
    expect(scene.take()).toEqual([]);
    scene.transactions.flush();
    expect(scene.take()).toEqual(['b -1 -1']);
  });

  it('take answers to a multicast query from anyone, one by one', () => {
    const llmnr = { transport: DnsTransport.Llmnr, serverPort: 5355 };
    const scene = new Scene().ask({ ...llmnr, server: 0xe000_00fc | 0 });
    scene.answer({ ...llmnr, us: 10, server: 0x0a00_0005 });
    expect(scene.sink.take()).toMatchObject([{ server: '10.0.0.5 5355', latencyUs: 10 }]);
    scene.answer({ ...llmnr, us: 11, server: 0x0a00_0005 });
    expect(scene.take()).toEqual([]);
    scene.answer({ ...llmnr, us: 12, server: 0x0a00_0006 });
    expect(scene.sink.take()).toMatchObject([{ server: '10.0.0.6 5355', latencyUs: -1 }]);
  });
});

describe('the limit of DNS transactions', () => {
  const name = (index: number): string => `n${index}`;

  it('is 1,024 queries in flight: the oldest is then unanswered', () => {
    const scene = new Scene();
    for (let i = 0; i < 1024; i++) scene.ask({ name: name(i), us: i });
    expect(scene.take()).toEqual([]);
    for (let i = 1024; i < 1030; i++) scene.ask({ name: name(i), us: i });
    expect(scene.take()).toEqual([0, 1, 2, 3, 4, 5].map((i) => `n${i} -1 -1`));
    scene.answer({ name: name(6), us: 2006 }).answer({ name: name(0), us: 2007 });
    expect(scene.take()).toEqual(['n6 0 2000', 'n0 0 -1']);
    scene.transactions.flush();
    expect(scene.sink.take().map((row) => row.name)).toEqual(Array.from({ length: 1023 }, (_, i) => name(i + 7)));
  });

  it('lets answered queries go before those that wait', () => {
    const scene = new Scene();
    for (let i = 0; i < 1000; i++) scene.ask({ name: name(i) });
    for (let i = 0; i < 5000; i++) scene.ask({ name: `x${i}`, us: i }).answer({ name: `x${i}`, us: i + 1 });
    expect(scene.take().filter((row) => !row.endsWith(' 0 1'))).toEqual([]);
    for (let i = 0; i < 1000; i++) scene.answer({ name: name(i), us: 9_000 });
    expect(scene.take()).toEqual(Array.from({ length: 1000 }, (_, i) => `n${i} 0 9000`));
  });

  it('holds for any number of queries, each of which comes out once', () => {
    const scene = new Scene();
    let rows = 0;
    for (let i = 0; i < 20_000; i++) {
      scene.ask({ name: name(i % 7000), id: i % 13, us: i * 1000 });
      if (i % 3 === 0) scene.answer({ name: name((i - 9) % 7000), id: (i - 9) % 13, us: i * 1000 });
      rows += scene.take().filter((row) => !row.endsWith(' 0 -1')).length;
    }
    scene.transactions.flush();
    rows += scene.take().length;
    expect(rows).toBe(20_000);
  });
});
