import { describe, expect, it } from 'vitest';
import { NotifySocket, socketAddress } from '../../src/service/notify-socket.js';
import { readExpectations } from '../../src/service/supervisor.js';
import { NotifyListener } from '../helpers/notify-listener.js';

const isLinux = process.platform === 'linux';

describe('address of the service manager', () => {
  it('is a path with a zero byte at its end, or an abstract name with one at its start', () => {
    expect(Buffer.from(socketAddress('/run/x') as Uint8Array).toString('latin1', 2)).toBe('/run/x\0');
    expect(Buffer.from(socketAddress('@x') as Uint8Array).toString('latin1', 2)).toBe('\0x');
  });

  it('is nothing that is not of this kind', () => {
    for (const text of ['', '@', 'relative', 'vsock:2:1234', `/${'x'.repeat(107)}`, `@${'x'.repeat(108)}`])
      expect(socketAddress(text), text).toBeNull();
    expect(socketAddress(`/${'x'.repeat(106)}`)).not.toBeNull();
    expect(socketAddress(`@${'x'.repeat(107)}`)).not.toBeNull();
  });
});

describe('what the service manager expects', () => {
  it('is a sign of life within WATCHDOG_USEC, if it means this process', () => {
    expect(readExpectations({ WATCHDOG_USEC: '60000000' }, 7).watchdogMs).toBe(60_000);
    expect(readExpectations({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '7' }, 7).watchdogMs).toBe(60_000);
    expect(readExpectations({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '8' }, 7).watchdogMs).toBeNull();
    for (const text of ['', '0', '-1', 'soon']) expect(readExpectations({ WATCHDOG_USEC: text }, 7).watchdogMs).toBeNull();
    expect(readExpectations({}, 7)).toEqual({ address: null, watchdogMs: null });
  });
});

describe.skipIf(!isLinux)('a notice (needs Linux)', () => {
  it.each(['path', 'abstract'] as const)('reaches a %s socket', async (kind) => {
    const listener = await NotifyListener.open(kind);
    const socket = new NotifySocket(socketAddress(listener.address) as Uint8Array);
    expect(socket.send('READY=1\nSTATUS=fine')).toBeNull();
    expect((await listener.until('READY=1')).lines).toEqual(['READY=1', 'STATUS=fine']);
    socket.close();
  });

  it('to nobody fails with a reason, and without a signal', () => {
    const socket = new NotifySocket(socketAddress('@flowberry-nobody-listens') as Uint8Array);
    expect(socket.send('READY=1')).toMatch(/^sendto: ECONNREFUSED/);
    socket.close();
  });
});
