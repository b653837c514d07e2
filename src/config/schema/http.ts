import * as z from 'zod/mini';
import { DEFAULT_PORT } from '../default-port.ts';
import { absolutePath, described, flag } from './parts.ts';

const portNumber = () => z.int().check(z.gte(0), z.lte(65_535));

const tls = z
  .optional(
    z.strictObject({
      certificatePath: absolutePath().check(
        described('PEM file of the certificate and its chain. Both files are read again when they change.'),
      ),
      keyPath: absolutePath().check(described('PEM file of its private key.')),
    }),
  )
  .check(described('Serve `http.port` by TLS. Absent: without.'));

/** The agent's door: what it answers to whom. */
export const http = z
  .prefault(
    z.strictObject({
      address: z
        ._default(
          z.union([z.ipv4(), z.ipv6()], { error: 'must be an IP address: 0.0.0.0 listens everywhere, 127.0.0.1 on this machine only' }),
          '0.0.0.0',
        )
        .check(described('IP address on which metrics and probes are served.')),
      port: z._default(portNumber(), DEFAULT_PORT).check(described('TCP port of metrics and probes; 0 takes any free one.')),
      pagesPort: z
        .optional(portNumber())
        .check(
          described('TCP port of status page and report on 127.0.0.1; 0 takes any free one. Default: the one after `port`, such as 9818.'),
        ),
      report: flag(true, 'Serve `/report`, which names images and workloads.'),
      statusPage: flag(true, 'Serve the status page `/`, which names images and workloads.'),
      documentsUrl: z
        .optional(
          z
            .string()
            .check(z.maxLength(500), z.regex(/^https?:\/\/[^\s"'<>]+$/, { error: 'must be a URL that begins with https:// or http://' })),
        )
        .check(
          described(
            'Where the documents of this version are, such as `https://example.com/basekeeper/docs`: the status page links to `README.md` and `runbook.md` there. The chart of a release fills it in. Absent: no links.',
          ),
        ),
      pages: z
        ._default(z.enum(['loopback', 'network']), 'loopback')
        .check(
          described(
            'Who reaches status page and report. `loopback`: only 127.0.0.1, as by `kubectl port-forward`. `network`: `http.port` as well, with a bearer token that may get `reports.basekeeper.io`. Needs `http.tls`.',
          ),
        ),
      metrics: z
        ._default(z.enum(['open', 'reviewed']), 'open')
        .check(
          described(
            'Who may scrape `/metrics`. `open`: anyone who reaches `http.port`. `reviewed`: a bearer token that may get the non-resource URL `/metrics`. Needs `http.tls`.',
          ),
        ),
      tls,
      hostNames: z
        ._default(
          z.array(
            z
              .string()
              .check(
                z.maxLength(253),
                z.regex(/^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$/, { error: 'must be a host name without a port' }),
              ),
          ),
          [],
        )
        .check(
          described(
            'Host names by which requests may call the agent, besides IP addresses and `localhost`. Others are refused: DNS rebinding.',
          ),
        ),
    }),
    {},
  )
  .check(described('Metrics, probes, last report and status page of the agent.'));
