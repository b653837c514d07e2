import { yamlText } from '../../../../lib/yaml/write.ts';
import type { DocumentFormat } from './document.ts';

/** The same document as the JSON is. */
export const YAML_FORMAT: DocumentFormat = {
  open: '',
  pair: (key, value) => yamlText({ [key]: value }),
  list: () => '',
  item: (key, value, index) => (index === 0 ? `${key}:\n` : '') + yamlText([value]).replaceAll(/^(?=.)/gm, '  '),
  listEnd: (key, length) => (length === 0 ? `${key}: []\n` : ''),
  last: (key, value) => yamlText({ [key]: value }),
};
