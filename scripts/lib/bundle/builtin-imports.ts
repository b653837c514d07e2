import { isBuiltin } from 'node:module';

const IMPORT = /^import (?:([\w$]+)(?:, )?)?(?:\* as ([\w$]+)|\{([^}]*)\})?(?: from )?"([^"]+)";\n/gm;

/**
 * Takes Node.js's own modules by `process.getBuiltinModule` instead of `import` in a bundle that esbuild wrote. An import reads every export of such
 * a module, and `node:http` has some that load undici when they are read: 9 MiB and 60 ms for nothing. By `globalThis`, because a chunk may have
 * imported a `process` of its own.
 */
export function withoutBuiltinImports(code: string): string {
  const taken: string[] = [];
  const rest = code.replaceAll(IMPORT, (statement, whole?: string, namespace?: string, names?: string, specifier = '') => {
    if (!isBuiltin(specifier)) return statement;
    const module = `globalThis.process.getBuiltinModule(${JSON.stringify(specifier)})`;
    for (const name of [whole, namespace]) if (name !== undefined) taken.push(`const ${name} = ${module};`);
    if (names !== undefined) taken.push(`const {${names.replaceAll(' as ', ': ')}} = ${module};`);
    return '';
  });
  return taken.length === 0 ? rest : `${taken.join('\n')}\n${rest}`;
}
