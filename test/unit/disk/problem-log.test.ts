import { describe, expect, it } from 'vitest';
import { ProblemLog } from '../../../src/disk/problem-log.ts';

describe('ProblemLog', () => {
  it('should name path, errno and message', () => {
    const log = new ProblemLog();
    log.addError('vm', Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' }));
    expect(log.list()).toEqual([{ path: 'vm', code: 'EACCES', message: 'EACCES: permission denied' }]);
  });

  it('should throw on what is not a system error', () => {
    const bug = new TypeError('undefined is not a function');
    expect(() => new ProblemLog().addError('vm', bug)).toThrow(bug);
  });

  it('should list a hundred and count the others', () => {
    const log = new ProblemLog();
    for (let index = 0; index < 1000; index += 1) log.add({ path: `${index}`, code: 'EIO', message: 'x' });
    expect(log.list().length).toBe(101);
    expect(log.list().at(-1)?.message).toContain('900 more');
  });
});
