import { readFile } from 'node:fs/promises';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../model/ports.ts';

export interface CertificateFiles {
  readonly certificatePath: string;
  readonly keyPath: string;
}

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** How often files are looked at: kubelet writes a changed Secret within a minute or two. */
const LOOK_AGAIN_MS = 30_000;

/** @throws an error that names the key of the configuration when a file cannot be read */
export async function readCertificate({ certificatePath, keyPath }: CertificateFiles): Promise<Certificate> {
  return { cert: await read(certificatePath, 'certificatePath'), key: await read(keyPath, 'keyPath') };
}

async function read(path: string, key: keyof CertificateFiles): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Error(`http.tls.${key}: ${messageOf(error)}; mount the certificate there, or remove http.tls`, { cause: error });
  }
}

/** Calls `use` with what the files say whenever that has changed, until the returned function is called. What cannot be used is logged. */
export function watchCertificate(
  files: CertificateFiles,
  first: Certificate,
  use: (certificate: Certificate) => void,
  { logger, everyMs = LOOK_AGAIN_MS }: { readonly logger: Logger; readonly everyMs?: number | undefined },
): () => void {
  let used = first;
  const look = async (): Promise<void> => {
    try {
      const now = await readCertificate(files);
      if (now.cert === used.cert && now.key === used.key) return;
      use(now);
      used = now;
      logger.info({ certificatePath: files.certificatePath }, 'the certificate was read again');
    } catch (error) {
      // A file is just being replaced, or is wrong: the old certificate goes on until it can be used.
      logger.warn({ error: messageOf(error) }, 'the new certificate cannot be used');
    }
  };
  const timer = setInterval(() => void look(), everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
