import { configurationDoc } from './configuration-doc.ts';

/** Every document that is made from the code: path from the root, and its text. */
export const GENERATED_DOCS: Readonly<Record<string, () => string>> = {
  'docs/configuration.md': configurationDoc,
};
