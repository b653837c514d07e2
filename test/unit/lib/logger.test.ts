import { describe, expect, it } from 'vitest';
import { createLogger, type LoggerOptions } from '../../../src/lib/logger.ts';

function setUp(options: LoggerOptions = {}) {
  const lines: string[] = [];
  const logger = createLogger({ ...options, destination: { write: (line) => void lines.push(line) } });
  return { logger, lines };
}

describe('the logger', () => {
  it('should write one JSON line with time, level, fields and message', () => {
    const { logger, lines } = setUp();
    logger.info({ files: 3 }, 'pass ended');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      files: 3,
      msg: 'pass ended',
    });
  });

  it.each([
    ['debug', ['debug', 'info', 'warn', 'error']],
    [undefined, ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
  ] as const)('should write at level %s what is as severe or more', (level, written) => {
    const { logger, lines } = setUp({ level });
    for (const method of ['debug', 'info', 'warn', 'error'] as const) logger[method]({}, method);
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(written);
  });

  it('should keep every line one line', () => {
    const { logger, lines } = setUp();
    logger.info({ file: 'a\nb\r\u001B[2J' }, 'x\ny');
    expect(lines.map((line) => line.indexOf('\n'))).toEqual([(lines[0] ?? '').length - 1]);
    expect(lines[0]).not.toContain('\u001B');
  });
});
