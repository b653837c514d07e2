import { listSome } from '../../../lib/text.ts';
import type { Evidence } from '../evidence.ts';
import type { Diagnosis, Problem } from '../problem.ts';
import { novaCleans, type NovaConfig } from './config.ts';

const SHOWN = 3;
const HOW = 'set [image_cache] remove_unused_base_images = False (OpenStack-Helm: conf.nova.image_cache.remove_unused_base_images)';
/** Where nova-compute runs in no pod, or in one that is labelled in another way. */
const ON_NODE = 'grep -rs remove_unused_base_images /etc/nova /etc/kolla/nova-compute';

/** Nova's own cleaner beside ours. As long as ours removes nothing, Nova's may. */
export function novaProblems({ statuses, surroundings, novaConfigs }: Evidence): Diagnosis {
  const enforcing = new Set(statuses.filter(({ mode }) => mode === 'enforce').map(({ node }) => node));
  const beside = novaConfigs.filter(({ nodes }) => nodes.some((node) => enforcing.has(node)));
  const problems = beside
    .filter((config) => novaCleans(config) === true)
    .map(({ owner, namespace, nodes }): Problem => {
      const message = `${owner} in namespace ${namespace} removes base files itself: ${HOW}`;
      return { kind: 'NovaCleans', nodes: nodes.filter((node) => enforcing.has(node)), message };
    });
  const unseen = beside.filter((config) => novaCleans(config) === undefined).map(unseenText);
  const elsewhere = [...enforcing].filter((node) => !novaConfigs.some(({ nodes }) => nodes.includes(node)));
  const listed = !surroundings.missingRights.includes('list pods');
  const where = listed ? 'where nova-compute runs, if it does: no pod is known to run it' : 'as pods cannot be listed';
  const note = `whether Nova's own cleaner is on at ${listSome(elsewhere, SHOWN)}, ${where}. On the node: ${ON_NODE}`;
  return { problems, unknown: [...unseen, ...(elsewhere.length === 0 ? [] : [note])] };
}

function unseenText({ owner, namespace, unread, command }: NovaConfig): string {
  const why = unread.length === 0 ? '' : `, as it is in ${listSome(unread, SHOWN)}`;
  return `whether Nova's own cleaner is on in ${owner} in namespace ${namespace}${why}: ${command}`;
}
