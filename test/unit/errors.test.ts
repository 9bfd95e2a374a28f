import { describe, expect, it } from 'vitest';
import { AppError, ERRORS, type ErrorCode } from '../../src/errors.js';

const CODES = Object.keys(ERRORS) as ErrorCode[];

describe('the error table', () => {
  it.each(CODES)('%s has an exit code that a shell can see, and a hint of one sentence or more', (code) => {
    const { exitCode, hint } = ERRORS[code];
    expect(code).toMatch(/^[A-Z][A-Z_]+$/);
    expect(exitCode).toBeGreaterThan(0);
    expect(exitCode).toBeLessThan(126);
    expect(hint).not.toBe('');
    expect(hint).not.toContain('\n');
  });
});

describe('AppError', () => {
  it('takes exit code and hint from the table', () => {
    const error = new AppError('INPUT_NOT_FOUND', 'no file x.pcap');
    expect(error.exitCode).toBe(ERRORS.INPUT_NOT_FOUND.exitCode);
    expect(error.hint).toBe(ERRORS.INPUT_NOT_FOUND.hint);
    expect(error.message).toBe('no file x.pcap');
  });

  it('tells code, cause and hint in one line, with a stop between them', () => {
    const line = new AppError('INPUT_NOT_FOUND', 'no file x.pcap').line;
    expect(line).toBe(`INPUT_NOT_FOUND: no file x.pcap. ${ERRORS.INPUT_NOT_FOUND.hint}`);
    expect(new AppError('INPUT_NOT_FOUND', 'what now?').line).toBe(`INPUT_NOT_FOUND: what now? ${ERRORS.INPUT_NOT_FOUND.hint}`);
  });

  it('puts the command that gives the right to capture in a line of its own', () => {
    expect(new AppError('CAPTURE_NOT_PERMITTED', 'may not capture').line.split('\n')).toHaveLength(2);
  });

  it.each(CODES)('%s survives the way to another thread', (code) => {
    const data = structuredClone(new AppError(code, 'a message').toData());
    const error = AppError.fromData(data);
    expect(error).toBeInstanceOf(AppError);
    expect([error.code, error.message]).toEqual([code, 'a message']);
  });

  it('leaves an AppError as it is, and makes anything else an INTERNAL with its cause, but for limits of the system', () => {
    const error = new AppError('DATABASE_LOCKED', 'x');
    expect(AppError.from(error)).toBe(error);
    const defect = new TypeError('undefined is no function');
    const internal = AppError.from(defect);
    expect([internal.code, internal.message, internal.cause]).toEqual(['INTERNAL', defect.message, defect]);
    expect(AppError.from('thrown text').message).toBe('thrown text');
    const limit = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
    expect(AppError.from(limit)).toMatchObject({ code: 'SYSTEM_LIMIT', message: limit.message, cause: limit });
    for (const thrown of [null, undefined, 0]) expect(AppError.from(thrown).code).toBe('INTERNAL');
  });
});
