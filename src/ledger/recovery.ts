import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, hasErrno } from '../lib/errors.ts';
import type { IntentRecord, LedgerRecord, RecoveredRecord } from '../model/ledger/records.ts';
import { TRASH_DIRECTORY } from '../model/trash-names.ts';
import { parseLine } from './line.ts';
import { openPasses, toRanges, type OpenPass } from './open-passes.ts';
import type { LedgerWriter } from './writer.ts';

/** How many of the last segments are looked through for passes that were killed. */
const SEGMENTS = 2;

/**
 * Records what an earlier process left: a torn record, and intents of passes that no process carries on. Looks no further back than two
 * segments.
 *
 * @param basePath where files are looked for whose pass record was dropped.
 */
export async function recover(writer: LedgerWriter, basePath: string): Promise<void> {
  const killed = openPasses(recordsOf(writer)).filter(({ pass }) => writer.isOver(pass));
  const entries = killed.map((pass) => recoveredOf(pass, basePath));
  if (entries.length > 0 || writer.isTorn) await writer.append(() => entries);
}

function* recordsOf(writer: LedgerWriter): Generator<LedgerRecord, void, void> {
  for (const number of writer.segments().slice(-SEGMENTS)) {
    for (const line of writer.read(number).toString('utf8').split('\n')) {
      const record = line === '' ? undefined : parseLine(line);
      if (record !== undefined) yield record;
    }
  }
}

function recoveredOf({ pass, basePath: recorded, intents }: OpenPass, basePath: string): RecoveredRecord {
  const found = Map.groupBy(intents, (intent) => whereabouts(intent, recorded ?? basePath));
  const rangesOf = (what: Whereabouts) => {
    const numbers = found.get(what)?.map(({ seq }) => seq);
    return numbers === undefined ? {} : { [what]: toRanges(numbers) };
  };
  return { type: 'recovered', pass, ...rangesOf('gone'), ...rangesOf('there'), ...rangesOf('unknown') };
}

type Whereabouts = 'gone' | 'there' | 'unknown';

/** Whether the very file is still where it was. */
function whereabouts({ name, entry, inode, device, modifiedAtNs }: IntentRecord, basePath: string): Whereabouts {
  const path = entry === undefined ? join(basePath, name) : join(basePath, TRASH_DIRECTORY, entry);
  try {
    const stats = lstatSync(path, { bigint: true });
    if (String(stats.ino) !== inode || String(stats.dev) !== device) return 'gone';
    // Touched since then, or another file that got the number of the one that went.
    return String(stats.mtimeNs) === modifiedAtNs ? 'there' : 'unknown';
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return hasErrno(error, 'ENOENT', 'ENOTDIR') ? 'gone' : 'unknown';
  }
}
