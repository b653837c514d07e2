import { isIP } from 'node:net';

/**
 * Whether a `Host` header names the agent. A page of the web that lets its own name lead to an address of the cluster (DNS rebinding)
 * sends that name, which is not among them. Only a browser matters here, and every browser sends the header.
 */
export function createHostCheck(names: readonly string[]): (host: string | undefined) => boolean {
  const known = new Set(['localhost', ...names.map((name) => name.toLowerCase())]);
  return (host) => {
    if (host === undefined) return true;
    const [, bracketed, plain = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/.exec(host) ?? [];
    return bracketed === undefined ? isIP(plain) === 4 || known.has(plain.toLowerCase().replace(/\.$/, '')) : isIP(bracketed) === 6;
  };
}
