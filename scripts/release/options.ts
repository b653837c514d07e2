/** What both a release and its verification take: which release it is, who signs it, and how the registry is reached. */
export const RELEASE_OPTIONS = {
  version: { type: 'string', default: '' },
  registry: { type: 'string', default: '' },
  source: { type: 'string', default: '' },
  key: { type: 'string' },
  'plain-http': { type: 'boolean', default: false },
  offline: { type: 'boolean', default: false },
} as const;
