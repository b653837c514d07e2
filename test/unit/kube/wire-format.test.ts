import { Readable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { parseJson, parseStatus, readLines, readText } from '../../../src/kube/client/body.ts';
import { createDeadline } from '../../../src/kube/client/deadline.ts';
import { KubeApiError } from '../../../src/kube/errors.ts';
import { parseRetryAfter, statusError } from '../../../src/kube/client/status.ts';
import { verbOf } from '../../../src/kube/client/verb.ts';
import { parseWatchEvent, versionNumber } from '../../../src/kube/watch/watch-event.ts';

async function linesOf(chunks: readonly (string | Buffer)[], limitBytes = 1000): Promise<string[]> {
  const body = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  const lines: string[] = [];
  for await (const line of readLines(body, limitBytes, () => undefined)) lines.push(line);
  return lines;
}

describe('the lines of a watch', () => {
  it('should be put together from chunks that end anywhere', async () => {
    expect(await linesOf(['{"a"', ':1}\n{"b":2}\n\n', '{"c":', '3}', '\n'])).toEqual(['{"a":1}', '{"b":2}', '{"c":3}']);
  });

  it('should keep characters whole that a chunk cuts in two', async () => {
    const bytes = Buffer.from('"größe"\n');
    expect(await linesOf([bytes.subarray(0, 4), bytes.subarray(4)])).toEqual(['"größe"']);
  });

  it('should drop a last line without its end: the connection broke in it', async () => {
    expect(await linesOf(['"a"\n', '"b'])).toEqual(['"a"']);
  });

  it('should refuse a line that is too long before all of it has come', async () => {
    await expect(linesOf(['x'.repeat(600), 'x'.repeat(600)])).rejects.toMatchObject({ reason: 'InvalidResponse' });
  });

  it('should tell of every sign of life', async () => {
    let signs = 0;
    const body = Readable.from([Buffer.from('"a'), Buffer.from('"\n')]);
    await readLines(body, 100, () => (signs += 1)).next();
    expect(signs).toBe(2);
  });
});

describe('a body', () => {
  it('should be read whole, up to a limit', async () => {
    const body = (): Readable => Readable.from([Buffer.from('ab'), Buffer.from('cd')]);
    expect(await readText(body(), 4)).toBe('abcd');
    await expect(readText(body(), 3)).rejects.toMatchObject({ reason: 'InvalidResponse' });
  });

  it('should be JSON', () => {
    expect(parseJson('{"a":1}')).toEqual({ a: 1 });
    expect(() => parseJson('<html>')).toThrow(expect.objectContaining({ reason: 'InvalidResponse' }));
  });
});

describe('a failed request', () => {
  it.each([
    ['no pass has ended yet\n', 'GET /report: no pass has ended yet'],
    ['{"kind":"Status","message":"no endpoints"}', 'GET /report: no endpoints'],
    ['<html>\n<h1>Bad gateway</h1>', 'GET /report: 503'],
    ['one\ntwo', 'GET /report: 503'],
    ['', 'GET /report: 503'],
  ])('should quote a line of text, and no page: %j', (body, message) => {
    expect(statusError('GET /report', parseStatus(body), { status: 503 })).toMatchObject({ status: 503, message });
  });

  it('should say what the server said', () => {
    const status = { kind: 'Status', reason: 'Forbidden', message: 'pods is forbidden', code: 403 };
    const error = statusError('GET /api/v1/pods', status, { status: 403 });
    expect(error).toMatchObject({ status: 403, reason: 'Forbidden', message: 'GET /api/v1/pods: pods is forbidden' });
  });

  it('should take Retry-After from the header, else from the Status', () => {
    const status = { details: { retryAfterSeconds: 3 } };
    expect(statusError('x', status, { status: 429, retryAfter: '7' }).retryAfterSeconds).toBe(7);
    expect(statusError('x', status, { status: 429 }).retryAfterSeconds).toBe(3);
    expect(['5', '0', '-1', '1.5', 'soon', 'Wed, 21 Oct 2026 07:28:00 GMT', '9999999'].map(parseRetryAfter)).toEqual([
      5,
      0,
      ...Array.from({ length: 5 }, () => undefined),
    ]);
  });

  it('should survive a body that is not a Status, and cut what is long', () => {
    expect(statusError('x', undefined, { status: 502 })).toMatchObject({ status: 502, reason: '502', message: 'x: 502' });
    expect(statusError('x', { message: 'm'.repeat(5000) }, {}).message).toHaveLength(1000);
    expect(statusError('x', { reason: 1, message: [], code: 'a' }, {})).toMatchObject({ status: undefined, reason: 'Unknown' });
  });
});

describe('a watch event', () => {
  it('should be parsed', () => {
    const object = { metadata: { uid: 'u', resourceVersion: '5' } };
    expect(parseWatchEvent({ type: 'ADDED', object })).toEqual({ type: 'ADDED', object, uid: 'u', version: '5' });
    expect(parseWatchEvent({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } })).toEqual({
      type: 'BOOKMARK',
      version: '9',
    });
  });

  it('should be an error when it says so', () => {
    const object = { code: 410, reason: 'Expired', message: 'too old' };
    expect(() => parseWatchEvent({ type: 'ERROR', object })).toThrow(KubeApiError);
  });

  it('should have a version that compares as a number, or none', () => {
    expect(['0', '18446744073709551615', '', 'abc', '-1', '1.0', '1'.repeat(21)].map(versionNumber)).toEqual([
      0n,
      18_446_744_073_709_551_615n,
      ...Array.from({ length: 5 }, () => undefined),
    ]);
  });
});

describe('the verb of a request', () => {
  it.each([
    ['GET', '/api/v1/pods', 'list'],
    ['GET', '/api/v1/namespaces/default/pods', 'list'],
    ['GET', '/api/v1/namespaces', 'list'],
    ['GET', '/api/v1/namespaces/default', 'get'],
    ['GET', '/api/v1/namespaces/default/pods/p', 'get'],
    ['GET', '/api/v1/nodes/a', 'get'],
    ['GET', '/apis/kubevirt.io/v1/virtualmachineinstances', 'list'],
    ['GET', '/apis/kubevirt.io/v1/namespaces/n/virtualmachineinstances/v', 'get'],
    ['GET', '/apis', 'get'],
    ['GET', '/apis/kubevirt.io/v1', 'get'],
    ['GET', '/version', 'get'],
    ['POST', '/api/v1/namespaces/default/events', 'create'],
    ['PUT', '/api/v1/nodes/a', 'update'],
    ['PATCH', '/api/v1/nodes/a', 'patch'],
    ['DELETE', '/api/v1/nodes/a', 'delete'],
  ] as const)('should be that of the API server: %s %s is %s', (method, path, verb) => {
    expect(verbOf({ method, path })).toBe(verb);
  });
});

describe('a deadline', () => {
  it('should end the work when the time is up, and say that it was the time', () => {
    vi.useFakeTimers();
    const deadline = createDeadline(1000, undefined);
    vi.advanceTimersByTime(999);
    expect([deadline.signal.aborted, deadline.expired()]).toEqual([false, false]);
    vi.advanceTimersByTime(1);
    expect([deadline.signal.aborted, deadline.expired()]).toEqual([true, true]);
    vi.useRealTimers();
  });

  it('should begin again at every sign of life, and not at all once it is cleared', () => {
    vi.useFakeTimers();
    const deadline = createDeadline(1000, undefined);
    vi.advanceTimersByTime(900);
    deadline.restart();
    vi.advanceTimersByTime(900);
    expect(deadline.signal.aborted).toBe(false);
    deadline.clear();
    vi.advanceTimersByTime(9000);
    expect(deadline.signal.aborted).toBe(false);
    vi.useRealTimers();
  });

  it("should pass the caller's abort on, as that", () => {
    const caller = new AbortController();
    const deadline = createDeadline(60_000, caller.signal);
    caller.abort();
    expect([deadline.signal.aborted, deadline.expired()]).toEqual([true, false]);
    expect(createDeadline(60_000, AbortSignal.abort()).signal.aborted).toBe(true);
    deadline.clear();
  });
});
