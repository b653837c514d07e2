/** What a user does with a release, on the one-node cluster: the documents' commands, and an upgrade from the release before. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterAccess } from '../../../test/e2e/cluster/cluster.ts';
import { createSession } from '../../../test/e2e/lib/session.ts';
import { InstancesTree } from '../../../test/e2e/lib/tree.ts';
import { output, tool } from '../commands.ts';
import { byDigest, published } from '../publish.ts';
import type { Release } from '../release.ts';

const PLAIN = { plainHttp: true };
const NAMESPACE = 'basekeeper';

/** Where the released commit is checked out, and what its verification is told here beyond the documents. */
interface Verifying {
  readonly checkout: string;
  readonly options: readonly string[];
}

/** `files`: where the release's files and the public key are. */
export async function createUser(access: ClusterAccess, release: Release, files: string, { checkout, options }: Verifying) {
  const session = createSession(access, NAMESPACE);
  const tree = new InstancesTree(join(access.sharedDirectory, 'rehearsal', 'instances'));
  await tree.addBase({ name: 'swap_512' });
  const instancesPath = ['--set', `config.instancesPath=${tree.path}`];
  // On kubectl's PATH, where the session looks for plugins.
  const plugins = join(access.sharedDirectory, 'plugins');
  mkdirSync(plugins, { recursive: true });

  const run = async (documented: string): Promise<string> => {
    const actual = documented.replaceAll('REGISTRY', release.registry).replaceAll('SOURCE', release.source);
    const replaced: Readonly<Record<string, string>> = { 'node-1': access.node, '/usr/local/bin': plugins };
    const [program = '', ...words] = actual.split(' ').map((word) => replaced[word] ?? word);
    switch (program) {
      case 'helm':
        return session.helm(3, ...words, ...(['install', 'upgrade'].includes(words[0] ?? '') ? ['--plain-http', ...instancesPath] : []));
      case 'kubectl':
        return session.kubectl(...words);
      case 'oras':
        return tool('oras', [...words, '--plain-http'], { cwd: files });
      case 'cosign':
        return tool('cosign', [...words, '--insecure-ignore-tlog', ...(words[0] === 'verify-blob' ? [] : ['--allow-http-registry'])], {
          cwd: files,
        });
      case 'npm':
        if (words[1] === 'basekeeper') return session.basekeeper(...words.slice(3));
        return output('npm', [...words.map((word) => (word === 'cosign.pub' ? join(files, word) : word)), ...options], {
          cwd: checkout,
        });
      default:
        return output(program, words, { cwd: files });
    }
  };
  /** The agent; where it does not get ready, what its pod and its log say. */
  const agent = async () =>
    session.readyAgent().catch(async (error: unknown) => {
      const pods = await session.kubectl('--namespace', NAMESPACE, 'describe', 'pods');
      const log = await session
        .kubectl('--namespace', NAMESPACE, 'logs', 'daemonset/basekeeper', '--tail=20')
        .catch(() => 'there is no log');
      throw new Error(`the agent does not get ready:\n${pods}\n${log}`, { cause: error });
    });
  return {
    /** Runs these commands as they stand, but for the registry, the source, the node and the instances path. */
    follow: async (documented: readonly string[]): Promise<void> => {
      for (const command of documented) await run(command);
    },
    /** `before`: the chart of the release before. */
    upgradesByDigest: async (before: string): Promise<void> => {
      const [repository = '', digest = ''] = (await byDigest(published(release).image, PLAIN)).split('@');
      const [registry = '', ...path] = repository.split('/');
      const image = ['--set-json', `image=${JSON.stringify({ registry, repository: path.join('/'), digest })}`];
      const wait = ['--wait', '--timeout', '3m'];
      await session.kubectl('create', 'namespace', NAMESPACE);
      await session.kubectl('label', 'namespace', NAMESPACE, 'pod-security.kubernetes.io/enforce=privileged');
      await session.helm(3, 'install', 'basekeeper', before, ...instancesPath, ...image, ...wait);
      await agent();
      const chart = [`oci://${release.registry}/charts/basekeeper`, '--plain-http', '--version', release.version];
      await session.helm(3, 'upgrade', 'basekeeper', ...chart, '--reset-then-reuse-values', ...wait);
      const { name } = (await agent()).metadata;
      const jsonpath = '--output=jsonpath={.spec.containers[0].image} {.status.containerStatuses[0].imageID}';
      const running = await session.kubectl('--namespace', NAMESPACE, 'get', 'pod', name, jsonpath);
      const installed = await session.helm(3, 'list', '--output', 'json');
      if (!running.endsWith(digest) || !installed.includes(`"chart":"basekeeper-${release.version}"`)) {
        throw new Error(`${release.version} with ${digest} is wanted, and this is there: ${installed} ${running}`);
      }
      await session.helm(3, 'uninstall', 'basekeeper', '--wait', '--timeout', '2m');
      await session.kubectl('delete', 'namespace', NAMESPACE, '--timeout=90s');
    },
  };
}
