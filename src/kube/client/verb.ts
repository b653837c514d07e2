import type { KubeRequest, RequestObserver } from '../types.ts';

type Verb = Parameters<RequestObserver>[0];

const BY_METHOD: Readonly<Record<Exclude<KubeRequest['method'], 'GET'>, Verb>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** The API verb of a request, as the API server's own metrics name it. */
export function verbOf(request: Pick<KubeRequest, 'method' | 'path'>): Verb {
  if (request.method !== 'GET') return BY_METHOD[request.method];
  const segments = request.path.split('/').filter((segment) => segment !== '');
  const resource = segments.slice(segments[0] === 'api' ? 2 : 3);
  const names = resource[0] === 'namespaces' && resource.length > 2 ? resource.slice(2) : resource;
  return names.length === 1 && (segments[0] === 'api' || segments[0] === 'apis') ? 'list' : 'get';
}
