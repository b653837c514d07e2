import { execFileSync } from 'node:child_process';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { BASE_FILES, IMAGES, NODE_NAME, OVERLAYS, WORKLOADS } from './story.ts';
import { minimalQcow2 } from './qcow2.ts';

const MB = 2 ** 20;

export interface DemoTree {
  readonly instancesPath: string;
  readonly basePath: string;
  readonly configPath: string;
  readonly workloadsPath: string;
}

/** Builds the instances directory below `root`: base files with old mtimes, and overlays by qemu-img, or by our own writer where it is missing. */
export function buildTree(root: string, options: { readonly qemuImg: boolean; readonly httpPort: number }): DemoTree {
  const instancesPath = join(root, 'instances');
  const basePath = join(instancesPath, '_base');
  mkdirSync(basePath, { recursive: true });
  for (const { name, sizeMb, ageSeconds } of BASE_FILES) {
    const path = join(basePath, name);
    writeFileSync(path, Buffer.alloc(sizeMb * MB, name));
    const modifiedAt = Date.now() / 1000 - ageSeconds;
    utimesSync(path, modifiedAt, modifiedAt);
  }
  for (const { instance, baseName, sizeGb } of OVERLAYS) {
    mkdirSync(join(instancesPath, instance));
    writeOverlay(join(instancesPath, instance, 'disk'), join(basePath, baseName), sizeGb, options.qemuImg);
  }
  const tree = { instancesPath, basePath, configPath: join(root, 'config.yaml'), workloadsPath: join(root, 'workloads.yaml') };
  writeFileSync(tree.configPath, stringify(configuration(instancesPath, options.httpPort)));
  writeFileSync(tree.workloadsPath, stringify(workloads()));
  return tree;
}

function writeOverlay(path: string, backingFile: string, sizeGb: number, qemuImg: boolean): void {
  if (qemuImg) execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', backingFile, path, `${sizeGb}G`]);
  else writeFileSync(path, minimalQcow2({ backingFile, backingFormat: 'raw', virtualSizeBytes: sizeGb * 2 ** 30 }));
}

function configuration(instancesPath: string, httpPort: number): object {
  return {
    nodeName: NODE_NAME,
    instancesPath,
    mode: 'enforce',
    intervalSeconds: 2400,
    jitterSeconds: 0,
    pins: { imageRefs: [IMAGES.golden] },
    http: { address: '127.0.0.1', port: httpPort },
  };
}

/** The same workloads as the cluster has, for a machine without one. */
function workloads(): object {
  return {
    workloads: WORKLOADS.map(({ instance, imageRef, swapMb, ephemeral }) => ({
      name: instance,
      imageRef,
      ...(swapMb === undefined ? {} : { swapMb: [swapMb] }),
      ...(ephemeral === undefined ? {} : { ephemeral: [ephemeral] }),
    })),
  };
}
