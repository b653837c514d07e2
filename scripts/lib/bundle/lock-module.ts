import type { Plugin } from 'esbuild';

const NODE_ARCHITECTURES: Readonly<Record<string, string>> = { amd64: 'x64', arm64: 'arm64' };

/** Loads the one binary that lies beside the bundle, where the package's own loader would look through its prebuilt ones for all platforms. */
export function lockModuleBesideBundle(root: string, architecture: string): Plugin {
  const node = NODE_ARCHITECTURES[architecture];
  if (node === undefined) throw new Error(`--arch must be ${Object.keys(NODE_ARCHITECTURES).join(' or ')}, not ${architecture}`);
  const binary = `${root}node_modules/fs-native-extensions/prebuilds/linux-${node}/fs-native-extensions.node`;
  return loadingBy('lock-module-beside-bundle', root, `module.exports = require(${JSON.stringify(binary)});`);
}

/**
 * Loads the binary of the installed package by its name. The package's own loader reads fourteen modules to find it, which takes 10 ms of every
 * command. It is asked where there is no such binary, and its error is the one that an import would give.
 */
const BY_NAME = `
const { platform, arch } = process;
try {
  module.exports = require(\`fs-native-extensions/prebuilds/\${platform}-\${arch}/fs-native-extensions.node\`);
} catch {
  const loader = 'fs-native-extensions/binding';
  try {
    module.exports = require(loader);
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error;
    throw Object.assign(new Error("Cannot find package 'fs-native-extensions'"), { code: 'ERR_MODULE_NOT_FOUND' });
  }
}`;

export function lockModuleOfPackage(root: string): Plugin {
  return loadingBy('lock-module-of-package', root, BY_NAME);
}

function loadingBy(name: string, root: string, contents: string): Plugin {
  return {
    name,
    setup(builder) {
      builder.onLoad({ filter: /fs-native-extensions[/\\]binding\.js$/ }, () => ({ contents, loader: 'js', resolveDir: root }));
    },
  };
}
