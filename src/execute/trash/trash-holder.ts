import { errnoOf } from '../../lib/errors.ts';
import type { BaseDirectory, TrashDirectory } from '../../model/ports.ts';

/** The trash during one execution: opened when it is first needed, closed with it. */
export interface TrashHolder {
  /** Throws an errno error, the same each time, when it cannot be had; undefined when there is none and `create` is false. */
  open(options: { readonly create: boolean }): TrashDirectory | undefined;
  close(): void;
}

export function holdTrash(directory: Pick<BaseDirectory, 'openTrash'>): TrashHolder {
  let opened: TrashDirectory | undefined;
  let failure: Error | undefined;
  return {
    open(options) {
      if (failure !== undefined) throw failure;
      try {
        opened ??= directory.openTrash(options);
        return opened;
      } catch (error) {
        if (errnoOf(error) === undefined || !(error instanceof Error)) throw error;
        failure = error;
        throw error;
      }
    },
    close: () => opened?.close(),
  };
}
