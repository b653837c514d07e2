/** Stands in for the Dockerfile's base images, published for both architectures as the real ones are. */
import { makeBaseImages } from '../../../test/e2e/image/base-images.ts';
import { output } from '../commands.ts';

/** Pushes them and returns the build's options that name them. The base for arm64 is empty: nothing here can run it. */
export async function pushBases(directory: string, registry: string): Promise<string[]> {
  const local = await makeBaseImages(directory, process.env);
  const buildah = async (...args: string[]) => output('buildah', args);
  const [build, runtime] = [`${registry}/bases/node-build:24`, `${registry}/bases/node-runtime:24`];
  await buildah('push', '--tls-verify=false', local.build, `docker://${build}`);
  const empty = await buildah('from', '--arch=arm64', 'scratch');
  await buildah('commit', '--quiet', '--rm', empty, 'localhost/node-runtime:arm64');
  await buildah('manifest', 'create', runtime);
  for (const image of [local.runtime, 'localhost/node-runtime:arm64'])
    await buildah('manifest', 'add', runtime, `containers-storage:${image}`);
  await buildah('manifest', 'push', '--all', '--tls-verify=false', runtime, `docker://${runtime}`);
  await buildah('rmi', '--force', local.build, local.runtime);
  return [`--build-arg=BUILD_IMAGE=${build}`, `--build-arg=RUNTIME_IMAGE=${runtime}`];
}
