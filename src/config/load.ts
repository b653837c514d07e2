import { formatPath, parseYamlDocument, type Path, type YamlDocument, type YamlProblem } from '../lib/yaml/document.ts';
import { checkValues, type Mistake } from './mistakes/check.ts';
import { has, isSection, mergeLayers, originOf, type Layer } from './layers.ts';
import { toConfig, type CompleteSettings } from './normalize.ts';
import { NOVA_PRESET } from './preset.ts';
import type { SettingsInput } from './schema/schema.ts';
import type { Config, ConfigError } from './types.ts';

export { formatConfigError } from './mistakes/messages.ts';

/** Values that win over the file, such as those of command-line options. */
export interface Override {
  /** As errors name it: `--instances-path`. */
  readonly origin: string;
  readonly values: SettingsInput;
}

export interface LoadOptions {
  /** The YAML text of the configuration file; absent: defaults only. */
  readonly text?: string | undefined;
  /** As errors name the file. Default `configuration`. */
  readonly fileName?: string | undefined;
  /** Only NODE_NAME is read. Default: none. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly overrides?: readonly Override[] | undefined;
  /** Node name of last resort, used only where no cluster is asked. Default `localhost`. */
  readonly hostName?: string | undefined;
  /** The configuration is only looked at: the name of last resort does for one that asks a cluster as well. */
  readonly anyNode?: boolean | undefined;
}

export type LoadedConfig =
  | {
      readonly config: Config;
      /** The same as a file would say it, every default filled in. */
      readonly settings: CompleteSettings;
      /** Where a value comes from: the file's name, an option, `$NODE_NAME`, `preset nova`; undefined for a default. */
      readonly originOf: (path: Path) => string | undefined;
      readonly errors?: undefined;
    }
  | { readonly config?: undefined; readonly settings?: undefined; readonly originOf?: undefined; readonly errors: readonly ConfigError[] };

/** Parse → normalize → check rules. Pure; reports all mistakes at once, in the order of the file. */
export function loadConfig(options: LoadOptions = {}): LoadedConfig {
  const fileName = options.fileName ?? 'configuration';
  const document = parseYamlDocument(options.text ?? '');
  if (document.problems !== undefined) return { errors: document.problems.map((problem) => syntaxError(problem, fileName)) };
  const values = document.value ?? {};
  if (!isSection(values)) {
    return {
      errors: [
        { path: '', origin: fileName, line: 1, column: 1, message: 'must be a section of keys and values, such as "mode: dry-run"' },
      ],
    };
  }
  const layers = layersOf(options, { origin: fileName, values });
  const checked = checkValues(mergeLayers(layers));
  if (checked.settings === undefined) {
    return { errors: checked.mistakes.map((mistake) => placed(mistake, layers, fileName, document)).toSorted(byPlace) };
  }
  // Without a cluster the name is only what reports are headed with.
  const nodeName = checked.settings.nodeName === '' ? nameOfLastResort(options) : checked.settings.nodeName;
  const settings = { ...checked.settings, nodeName };
  return { config: toConfig(settings), settings, originOf: (path) => layers.findLast((layer) => has(layer.values, path))?.origin };
}

function nameOfLastResort({ hostName }: LoadOptions): string {
  return hostName ?? 'localhost';
}

/** This host's name where a node can have it. */
function hostNodeName(options: LoadOptions): string {
  const name = nameOfLastResort(options).toLowerCase();
  return /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name) ? name : 'localhost';
}

function layersOf(options: LoadOptions, file: Layer): readonly Layer[] {
  const nodeName = options.env?.['NODE_NAME'];
  const environment = nodeName === undefined || nodeName === '' ? [] : [{ origin: '$NODE_NAME', values: { nodeName } }];
  const given: Layer[] = [...environment, file, ...(options.overrides ?? [])];
  const merged = mergeLayers(given);
  const unnamed = isSection(merged) && merged['nodeName'] === undefined;
  if (options.anyNode === true && unnamed) given.unshift({ origin: 'the name of this host', values: { nodeName: hostNodeName(options) } });
  return isSection(merged) && merged['preset'] === 'nova' ? [{ origin: 'preset nova', values: NOVA_PRESET }, ...given] : given;
}

function syntaxError({ message, at }: YamlProblem, origin: string): ConfigError {
  return { path: '', message: `is not valid YAML: ${message}`, origin, ...at };
}

function placed(mistake: Mistake, layers: readonly Layer[], fileName: string, document: YamlDocument): ConfigError {
  const origin = originOf(layers, mistake.path)?.origin;
  const path = formatPath(mistake.path);
  if (origin !== fileName) return { path, message: mistake.message, origin };
  return { path, message: mistake.message, origin, ...document.locate(mistake.path, mistake.atKey) };
}

function byPlace(left: ConfigError, right: ConfigError): number {
  const end = Number.MAX_SAFE_INTEGER;
  return (left.line ?? end) - (right.line ?? end) || (left.column ?? end) - (right.column ?? end);
}
