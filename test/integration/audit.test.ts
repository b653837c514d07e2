import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';

const run = promisify(execFile);
const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Readonly<Record<string, string>> };

/** A registry on loopback whose database knows these advisories; undefined: it has none. */
async function registryWith(advisories: object | undefined): Promise<string> {
  const server = createServer((request, response) => {
    const name = decodeURIComponent((request.url ?? '').slice(1));
    const version = dependencies[name];
    const packument = { name, 'dist-tags': { latest: version }, versions: { [version ?? '']: { name, version } } };
    const answer = request.url === '/-/npm/v1/security/advisories/bulk' ? advisories : version === undefined ? undefined : packument;
    request.resume();
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** As a user runs it, with the real npm. */
async function audit(registry: string): Promise<{ readonly code: number; readonly text: string }> {
  const env = { ...process.env, npm_config_registry: registry, npm_config_audit_level: 'low' };
  try {
    return { code: 0, text: (await run(process.execPath, ['scripts/audit-dependencies.ts'], { env })).stdout };
  } catch (error) {
    const { code, stdout } = error as { readonly code: number; readonly stdout: string };
    return { code, text: stdout };
  }
}

const advisory = (vulnerable: string) => ({
  id: 1,
  url: 'https://example.org/advisory-1',
  title: 'It does what it should not',
  severity: 'high',
  vulnerable_versions: vulnerable,
});

describe('npm run audit:dependencies', () => {
  it('should name what a database knows of the dependencies of the bundle, and fail', async () => {
    const { code, text } = await audit(await registryWith({ yaml: [advisory('<=99.0.0')] }));
    expect(text).toMatch(/^yaml .*: high: .*It does what it should not https:\/\/example\.org\/advisory-1/m);
    expect(code).toBe(1);
  });

  it('should not mind what it knows of tools, of other versions, and of nothing', async () => {
    expect(await audit(await registryWith({ vitest: [advisory('<=99.0.0')], yaml: [advisory('<0.0.1')] }))).toEqual({
      code: 0,
      text: 'No vulnerability of a dependency is known.\n',
    });
  });

  it('should say in one sentence, by a status of its own, that there is no database', async () => {
    const { code, text } = await audit(await registryWith(undefined));
    expect(text).toMatch(/^Nothing is known of the dependencies: no database of vulnerabilities can be asked \(.+\)\.\n$/);
    expect(code).toBe(3);
  });
});
