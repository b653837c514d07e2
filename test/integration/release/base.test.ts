import { mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { baseDependencies, buildOptionsFor, namedBases, pinnedBases } from '../../../scripts/release/bases.ts';
import { configDifferences, expectedConfig } from '../../../scripts/release/image-config.ts';
import { baseIn, isOneLayerOn } from '../../../scripts/release/verify-base.ts';
import { signerOptions } from '../../../scripts/release/verify.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const ACCESS = { plainHttp: false };
const BASE = { Env: ['PATH=/bin', 'SSL_CERT_FILE=/certs'], User: '65532', WorkingDir: '/home/nonroot', Entrypoint: ['/nodejs/bin/node'] };
const ARGS = { VERSION: '1.2.3', REVISION: 'abc' };
const dockerfile = readFileSync('Dockerfile', 'utf8');
const expected = expectedConfig(dockerfile, BASE, ARGS);

describe('the base images of a release', () => {
  it('should be those of the Dockerfile, or those that the build is told', () => {
    const options = ['--build-arg=RUNTIME_IMAGE=r.example/other:1', '--no-cache'];
    expect(namedBases('./').RUNTIME_IMAGE).toMatch(/^gcr\.io\/distroless\/nodejs24-debian12\b/);
    expect(namedBases('./', options)).toEqual({ BUILD_IMAGE: namedBases('./').BUILD_IMAGE, RUNTIME_IMAGE: 'r.example/other:1' });
  });

  it('should be named by digest, once and for all', async () => {
    const bases = { BUILD_IMAGE: `r.example/a@${DIGEST}`, RUNTIME_IMAGE: `r.example/b@${DIGEST}` };
    expect(await pinnedBases(bases, ACCESS)).toEqual(bases);
    expect(buildOptionsFor(bases, ['--build-arg=RUNTIME_IMAGE=r.example/other:1', '--no-cache'])).toEqual([
      '--no-cache',
      `--build-arg=BUILD_IMAGE=r.example/a@${DIGEST}`,
      `--build-arg=RUNTIME_IMAGE=r.example/b@${DIGEST}`,
    ]);
  });

  it('should be refused where the provenance names another image, another digest or none', () => {
    const provenance = (name: string) => ({
      buildDefinition: { resolvedDependencies: baseDependencies({ BUILD_IMAGE: `x@${DIGEST}`, RUNTIME_IMAGE: name }) },
    });
    expect(baseIn(provenance(`r.example/run@${DIGEST}`), 'r.example/run:24')).toBe(`r.example/run@${DIGEST}`);
    expect(() => baseIn(provenance(`evil.example/run@${DIGEST}`), 'r.example/run:24')).toThrow('stands on evil.example/run');
    expect(() => baseIn(provenance(`r.example/run@${DIGEST}`), `r.example/run@sha256:${'b'.repeat(64)}`)).toThrow('stands on');
    expect(() => baseIn({ buildDefinition: { resolvedDependencies: [] } }, 'r.example/run:24')).toThrow('does not say which base');
  });
});

describe('the layers of an image', () => {
  it('should be those of its base and one more: none other, none between, none missing', () => {
    expect(isOneLayerOn(['a', 'b', 'app'], ['a', 'b'])).toBe(true);
    for (const layers of [['a', 'x', 'app'], ['a', 'b', 'x', 'app'], ['b', 'a', 'app'], ['a', 'app'], ['a', 'b'], []])
      expect(isOneLayerOn(layers, ['a', 'b']), layers.join(' ')).toBe(false);
  });
});

describe('how the image starts', () => {
  it('should follow from its base and from the Dockerfile', () => {
    expect(expected).toMatchObject({
      Env: ['PATH=/bin', 'SSL_CERT_FILE=/certs', 'MALLOC_ARENA_MAX=1', 'MALLOC_TRIM_THRESHOLD_=131072'],
      User: '65532:65532',
      WorkingDir: '/home/nonroot',
      Cmd: ['agent', '--config', '/etc/basekeeper/config.yaml'],
      ExposedPorts: { '9817/tcp': {} },
      Labels: { 'org.opencontainers.image.version': '1.2.3', 'org.opencontainers.image.revision': 'abc' },
    });
    expect(configDifferences(expected, structuredClone(expected))).toEqual([]);
  });

  it.each<[string, object]>([
    ['another entry point', { Entrypoint: ['/nodejs/bin/node', '/tmp/x'] }],
    ['another command', { Cmd: ['version'] }],
    ['another user', { User: '0' }],
    ['an environment that loads more', { Env: ['PATH=/bin', 'NODE_OPTIONS=--require=/tmp/x'] }],
    ['another working directory', { WorkingDir: '/tmp' }],
    ['a volume', { Volumes: { '/app': {} } }],
    ['a health check', { Healthcheck: { Test: ['CMD', '/x'] } }],
    ['other labels', { Labels: {} }],
  ])('should be refused with %s', (_title, change) => {
    expect(configDifferences(expected, { ...expected, ...change })).toHaveLength(1);
  });

  it('should be as it is where the builder adds what nobody says', () => {
    const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    expect(configDifferences({}, { Env: [path], WorkingDir: '/', Labels: {}, User: '' })).toEqual([]);
    expect(configDifferences({ Env: ['PATH=/bin'] }, { Env: [path] })).toHaveLength(1);
  });

  it('should be refused where the Dockerfile does what cannot be checked', () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'basekeeper-dockerfile-'));
    writeFileSync(join(directory.path, 'Dockerfile'), 'FROM a\n');
    expect(() => namedBases(`${directory.path}/`)).toThrow('has no ARG BUILD_IMAGE');
    expect(() => expectedConfig('FROM a\nRUN touch /x\n', {}, {})).toThrow("the Dockerfile's RUN cannot be checked");
  });
});

describe('whose signature counts', () => {
  const release = { source: 'https://s.example/x', version: '0.2.0' };
  const issuer = 'https://token.example';

  it('should be the workflow of this source at the tag of this version, and no other', () => {
    expect(signerOptions(release, { issuer, offline: false })).toEqual([
      '--certificate-identity=https://s.example/x/.github/workflows/release.yaml@refs/tags/v0.2.0',
      `--certificate-oidc-issuer=${issuer}`,
    ]);
  });

  it('should be a key or another identity where that is given', () => {
    expect(signerOptions(release, { issuer, offline: false, key: 'cosign.pub' })).toEqual(['--key=cosign.pub']);
    expect(signerOptions(release, { issuer, offline: false, identity: 'me@s.example' })[0]).toBe('--certificate-identity=me@s.example');
  });
});
