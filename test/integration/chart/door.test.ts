import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { at, only, render } from '../../helpers/helm.ts';

const POD = 'spec.template.spec';
const AGENT = `${POD}.containers.0`;

describe('the door, as the chart makes it', () => {
  it('should mount the certificate of tls.secretName, configure it, and scrape and test by it', async () => {
    const manifests = await render({ tls: { secretName: 't' }, monitoring: { podMonitor: { enabled: true } } });
    expect(at(only(manifests, 'DaemonSet'), `${POD}.volumes`)).toContainEqual({ name: 'tls', secret: { secretName: 't' } });
    expect(at(only(manifests, 'DaemonSet'), `${AGENT}.volumeMounts`)).toContainEqual({
      name: 'tls',
      mountPath: '/etc/basekeeper-tls',
      readOnly: true,
    });
    expect(parse(at(only(manifests, 'ConfigMap'), 'data.config\\.yaml') as string)).toMatchObject({
      http: { tls: { certificatePath: '/etc/basekeeper-tls/tls.crt', keyPath: '/etc/basekeeper-tls/tls.key' } },
    });
    expect(at(only(manifests, 'PodMonitor'), 'spec.podMetricsEndpoints.0')).toMatchObject({
      scheme: 'https',
      tlsConfig: { insecureSkipVerify: true },
    });
    expect(JSON.stringify(at(only(manifests, 'Pod'), 'spec.containers.0.env'))).toContain('"https://');
  });

  it('should let nobody in by its network policy but the chart’s test, and out to no address of the internet', async () => {
    const policy = only(await render(), 'NetworkPolicy');
    const rules = JSON.stringify(at(policy, 'spec'));
    expect(at(policy, 'spec.ingress.0.from')).toEqual([
      { podSelector: { matchLabels: expect.objectContaining({ 'app.kubernetes.io/component': 'test' }) as unknown } },
    ]);
    for (const { to } of at(policy, 'spec.egress') as { to?: unknown[] }[]) expect(to?.length).toBeGreaterThan(0);
    expect(rules).not.toContain('0.0.0.0/0');
    expect([...rules.matchAll(/"cidr":"([^"]+)"/g)].map(([, cidr]) => cidr)).toEqual([
      '10.0.0.0/8',
      '172.16.0.0/12',
      '192.168.0.0/16',
      '100.64.0.0/10',
      'fc00::/7',
    ]);
  });
});
