import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectControl, exposeControl, withDeadline } from '../../src/control.js';
import { AppError } from '../../src/errors.js';
import type { Outcome } from '../../src/messages.js';

interface Adder {
  add(a: number, b: number): Promise<Outcome<number>>;
  refuse(): Promise<Outcome>;
  hang(): Promise<Outcome>;
}

const adder: Adder = {
  add: async (a, b) => ({ ok: true, value: a + b }),
  refuse: async () => ({ ok: false, error: { code: 'API_PORT_IN_USE', message: 'port 8417 is taken' } }),
  hang: () => new Promise(() => {}),
};

function connected() {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => {
    port1.close();
    port2.close();
  });
  exposeControl(port1, adder);
  return connectControl<Adder>(port2);
}

describe('control calls', () => {
  it('reach the other side and bring its answer back', async () => {
    const remote = connected();
    expect(await remote.add(2, 3)).toEqual({ ok: true, value: 5 });
  });

  it('bring a failure back as data, with its code', async () => {
    const remote = connected();
    expect(await remote.refuse()).toEqual({ ok: false, error: { code: 'API_PORT_IN_USE', message: 'port 8417 is taken' } });
  });

  it('end at the deadline when nobody answers', async () => {
    const remote = connected();
    const failure = await withDeadline(remote.hang(), 20, 'the adder').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AppError);
    expect(failure).toMatchObject({ code: 'THREAD_DEADLINE', message: 'the adder got no answer within 20 ms' });
  });

  it('give the answer when it comes in time, and the failure of the call itself', async () => {
    const remote = connected();
    expect(await withDeadline(remote.add(1, 1), 60_000, 'the adder')).toEqual({ ok: true, value: 2 });
    await expect(withDeadline(Promise.reject(new Error('broken')), 60_000, 'the adder')).rejects.toThrow('broken');
  });

  it('ignore a failure that comes after the deadline', async () => {
    let fail: (error: Error) => void = () => {};
    const call = new Promise<never>((_, reject) => {
      fail = reject;
    });
    await expect(withDeadline(call, 1, 'the adder')).rejects.toThrow(AppError);
    fail(new Error('late'));
    await expect(call).rejects.toThrow('late');
  });
});
