/** Builds the project's image from its Dockerfile, without a registry. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../../scripts/chart/generated.ts';
import { announceOnStderr } from '../../../scripts/lib/run.ts';
import { output } from '../lib/command.ts';
import { makeBaseImages } from './base-images.ts';

export const IMAGE = { registry: 'localhost', repository: 'basekeeper', tag: 'e2e' } as const;
export const IMAGE_NAME = `${IMAGE.registry}/${IMAGE.repository}:${IMAGE.tag}`;

/** buildah's environment: its storage and everything else that it writes is below `directory`. */
export function buildahEnvironment(directory: string): NodeJS.ProcessEnv {
  mkdirSync(directory, { recursive: true });
  const configuration = join(directory, 'storage.conf');
  const [graph, run] = [join(directory, 'graph'), join(directory, 'run')];
  writeFileSync(configuration, `[storage]\ndriver = "overlay"\ngraphroot = "${graph}"\nrunroot = "${run}"\n`);
  return { ...process.env, CONTAINERS_STORAGE_CONF: configuration, BUILDAH_ISOLATION: 'chroot', TMPDIR: directory };
}

/** With buildah, on base images made here. Returns the docker archive. */
export async function buildWithBuildah(directory: string, env: NodeJS.ProcessEnv): Promise<string> {
  const cache = (await output('npm', ['config', 'get', 'cache'])).trim();
  mkdirSync(cache, { recursive: true });
  // What npm has downloaded for this checkout needs no second download; it is checked against the lock file anyway.
  const options = ['--volume', `${cache}:/root/.npm`, '--build-arg', 'VERSION=e2e', '--tag', IMAGE_NAME];
  const bases = await makeBaseImages(join(directory, 'bases'), env);
  const baseArguments = ['--build-arg', `BUILD_IMAGE=${bases.build}`, '--build-arg', `RUNTIME_IMAGE=${bases.runtime}`];
  const built = await output('buildah', ['bud', ...options, ...baseArguments, ROOT], { env, timeoutMs: 600_000 });
  for (const line of built.split('\n').filter((text) => / bytes {2}/.test(text))) announceOnStderr(`e2e: ${line}`);
  const archive = join(directory, 'image.tar');
  announceOnStderr(
    `e2e: the image: ${(await output('buildah', ['images', '--format', '{{.Size}}', IMAGE_NAME], { env })).trim()}, Node.js and its base included`,
  );
  await output('buildah', ['push', '--quiet', IMAGE_NAME, `docker-archive:${archive}:${IMAGE_NAME}`], { env });
  return archive;
}

/** With a Docker engine and the Dockerfile's own base images; writes the docker archive as well. */
export async function buildWithDocker(archive: string): Promise<void> {
  await output('docker', ['build', '--build-arg', 'VERSION=e2e', '--tag', IMAGE_NAME, ROOT], { timeoutMs: 900_000 });
  await output('docker', ['save', '--output', archive, IMAGE_NAME]);
}
