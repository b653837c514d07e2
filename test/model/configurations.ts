/** What `npm run model` checks: configurations of removal.pml that must hold, variants that must not, and what cannot be kept. */
export interface Configuration {
  readonly name: string;
  /** Passed to spin as `-D…`. */
  readonly defines: readonly string[];
}

export interface Variant extends Configuration {
  /** Part of what pan says about the error. */
  readonly refusedBy: string;
}

/** Every order of the steps, without an error: at least this many states together. */
export const MINIMUM_STATES = 30_000_000;

/** The largest first: two run at a time. */
export const HOLDING: readonly Configuration[] = [
  { name: 'two agents, two writers, lock files removed', defines: ['NA=2', 'NW=2', 'NF=1', 'LOCK_FILES_REMOVED'] },
  { name: 'the trash, and a stop at any moment', defines: ['NW=1', 'TRASH', 'PASSES=2', 'STOP'] },
  { name: 'two writers, batches of two, two passes', defines: ['NW=2', 'PASSES=2'] },
  { name: 'three files, batches of two, a stop', defines: ['NW=1', 'NF=3', 'LIVES=2', 'PASSES=2', 'STOP'] },
  { name: 'the trash, a disk that arrives, a kill', defines: ['NW=1', 'TRASH', 'ARRIVAL', 'PASSES=2', 'KILLS=1'] },
  { name: 'two agents that go through two files in opposite orders', defines: ['NA=2', 'NW=1'] },
  { name: 'two writers, and every spawn succeeds', defines: ['NW=2', 'SPAWNS_SUCCEED'] },
  { name: 'batches of one, a stop', defines: ['NW=1', 'BATCH=1', 'PASSES=2', 'LIVES=2', 'STOP'] },
  { name: 'the trash, and every spawn succeeds', defines: ['NW=1', 'TRASH', 'SPAWNS_SUCCEED'] },
  { name: 'two kills', defines: ['NW=1', 'PASSES=3', 'KILLS=2'] },
];

const SLOT = 'slot[';
const FILE = 'exists[f]';

/** The protocol with one rule taken away: each must be refused, or the model proves nothing. */
export const BROKEN: readonly Variant[] = [
  { name: 'the evidence is read before the locks are taken', defines: ['NW=1', 'M_EVIDENCE_FIRST'], refusedBy: SLOT },
  { name: 'one reading of the evidence for several batches', defines: ['NW=1', 'BATCH=1', 'M_ONE_READING_A_PASS'], refusedBy: SLOT },
  { name: 'directories that change while they are read count as read', defines: ['NW=1', 'M_RESTLESS_IGNORED'], refusedBy: SLOT },
  { name: 'one directory is not read', defines: ['NW=1', 'NS=2', 'M_ONE_DIRECTORY_UNSEEN'], refusedBy: SLOT },
  { name: 'no lock is taken', defines: ['NW=1', 'M_NO_LOCK'], refusedBy: FILE },
  { name: 'a busy lock counts as had', defines: ['NW=2', 'M_BUSY_IS_HAD'], refusedBy: FILE },
  { name: 'the locks are released before the removals', defines: ['NW=1', 'M_RELEASED_BEFORE'], refusedBy: FILE },
  {
    name: 'an agent waits for a lock while it holds another',
    defines: ['NA=2', 'NW=1', 'M_WAITS_WHILE_HOLDING'],
    refusedBy: 'invalid end state',
  },
  {
    name: 'a locked file is not looked up by its path again',
    defines: ['NA=2', 'NW=1', 'LOCK_FILES_REMOVED', 'M_LOCK_UNCHECKED'],
    refusedBy: FILE,
  },
  {
    name: 'a lock file is removed after its release',
    defines: ['NA=2', 'NW=1', 'LOCK_FILES_REMOVED', 'M_LOCK_FILE_AFTER_RELEASE'],
    refusedBy: FILE,
  },
  { name: 'a stop is not noticed', defines: ['NW=1', 'STOP', 'M_STOP_IGNORED'], refusedBy: 'late' },
  { name: 'the last look is left out', defines: ['NW=1', 'SPAWNS_SUCCEED', 'M_LAST_LOOK_MISSING'], refusedBy: FILE },
  { name: 'there is no floor under the minimum age', defines: ['NW=1', 'SPAWNS_SUCCEED', 'M_NO_FLOOR'], refusedBy: FILE },
  {
    name: 'a file that was touched as it went to the trash stays there',
    defines: ['NW=1', 'TRASH', 'SPAWNS_SUCCEED', 'M_TOUCHED_STAYS_IN_TRASH'],
    refusedBy: FILE,
  },
  {
    name: 'the trash is emptied without asking who needs it',
    defines: ['NW=1', 'TRASH', 'ARRIVAL', 'PASSES=2', 'M_TRASH_EMPTIED_UNASKED'],
    refusedBy: SLOT,
  },
];

/** What the protocol cannot keep (docs/safety.md names it). With the trash, the same disk gets its base file back: a configuration above. */
export const UNKEEPABLE: readonly Variant[] = [
  { name: 'a disk arrives without lock and touch between evidence and removal', defines: ['NW=1', 'ARRIVAL'], refusedBy: SLOT },
];

/** Claims that something never happens. Each must be refuted: a model in which nothing is removed has no errors either. */
export const WITNESSES: readonly Variant[] = [
  { name: 'a batch removes two files', defines: ['NW=1', 'W_BATCH_OF_TWO'], refusedBy: 'done' },
  { name: 'a busy file is removed afterwards', defines: ['NW=2', 'W_BUSY_LATER'], refusedBy: 'next' },
  { name: 'a batch stays because a directory was restless', defines: ['NW=1', 'W_RESTLESS'], refusedBy: 'unsure' },
  { name: 'a batch stays because of a stop after its locks were had', defines: ['NW=1', 'STOP', 'W_HALTED'], refusedBy: 'halted' },
  { name: 'a file is emptied from the trash', defines: ['NW=1', 'TRASH', 'PASSES=2', 'W_EMPTIED'], refusedBy: '0' },
  { name: 'a file is put back from the trash', defines: ['NW=1', 'TRASH', 'ARRIVAL', 'PASSES=2', 'W_PUT_BACK'], refusedBy: 'emptying' },
  {
    name: 'a file that was touched as it went to the trash is given back',
    defines: ['NW=1', 'TRASH', 'W_GIVEN_BACK'],
    refusedBy: 'emptying',
  },
];
