import type { ConfigError } from './types.ts';

/** `config.yaml:12:3: sources.pods.enabled must be true or false, not "on"; …` */
export function formatConfigError(error: ConfigError): string {
  const place = [error.origin, error.line, error.column].filter((part) => part !== undefined).join(':');
  return [place === '' ? '' : `${place}: `, error.path === '' ? '' : `${error.path} `, error.message].join('');
}
