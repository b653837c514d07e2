import { execFileSync } from 'node:child_process';

/** What qemu-img says when the clock that it times LUKS' key derivation by does not move: nothing is wrong with the image. */
const CLOCK_TOO_COARSE = 'Unable to get accurate CPU usage';
const ATTEMPTS = 20;

/** Runs the real qemu-img. Throws with its message when it fails. */
export function qemuImg(args: readonly string[], options: { readonly cwd?: string } = {}, attempts = ATTEMPTS): string {
  try {
    return execFileSync('qemu-img', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...options });
  } catch (error) {
    if (attempts > 1 && error instanceof Error && error.message.includes(CLOCK_TOO_COARSE)) return qemuImg(args, options, attempts - 1);
    throw error;
  }
}

/** The parts of `qemu-img info --output=json` that we compare with. */
export interface QemuInfo {
  readonly filename: string;
  readonly format: string;
  readonly 'virtual-size': number;
  readonly 'cluster-size'?: number;
  readonly 'backing-filename'?: string;
  readonly 'full-backing-filename'?: string;
  readonly 'backing-filename-format'?: string;
  readonly 'format-specific'?: {
    readonly type: string;
    readonly data: {
      readonly compat?: string;
      readonly corrupt?: boolean;
      readonly 'data-file'?: string;
      readonly 'extended-l2'?: boolean;
      readonly 'compression-type'?: string;
    };
  };
}

export function qemuInfo(path: string): QemuInfo {
  return JSON.parse(qemuImg(['info', '-U', '--output=json', path])) as QemuInfo;
}

/** The image and everything below it, as QEMU opens them. */
export function qemuChain(path: string): readonly QemuInfo[] {
  return JSON.parse(qemuImg(['info', '-U', '--backing-chain', '--output=json', path])) as QemuInfo[];
}
