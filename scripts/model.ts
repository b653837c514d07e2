/**
 * `npm run model`: the protocol of removals, in every order of the steps of everybody who takes part (test/model/README.md). Ends non-zero
 * when a configuration has an error, when a broken variant has none, or when fewer states were looked at than are promised.
 */
import { BROKEN, HOLDING, MINIMUM_STATES, UNKEEPABLE, WITNESSES, type Configuration, type Variant } from '../test/model/configurations.ts';
import { check, type Checked } from '../test/model/check.ts';
import { replay } from '../test/model/replay.ts';
import { PLAYS, type Play } from '../test/model/trace.ts';
import { messageOf } from '../src/lib/errors.ts';
import { writeJsonReport, type Check } from './lib/json-report.ts';
import { cleanUpOnSignals } from './lib/signals.ts';

/** Each search may need a gigabyte. */
const JOBS = 2;

/** How many traces of each play are replayed through the executor, and how many at a time; how many there must be in all. */
const TRACES_A_PLAY = 180;
const TRACES_A_JOB = 90;
const MINIMUM_TRACES = 1000;

const stopping = new AbortController();
cleanUpOnSignals(async () => stopping.abort());
const startedMs = performance.now();
const checks: Check[] = [];
let states = 0;
let refused = 0;
let replayed = 0;

type Judge<T> = (entry: T, result: Checked) => string;

const expectNoError: Judge<Configuration> = ({ name }, result) => {
  states += result.states;
  checks.push({ name, failure: result.error });
  if (result.error === undefined) return `holds     ${name}: ${count(result.states)} states, ${result.seconds.toFixed(1)} s`;
  return `BROKEN    ${name}: ${result.error}`;
};

const expectError =
  (word: string): Judge<Variant> =>
  ({ name, refusedBy }, { error }) => {
    const fits = error?.includes(refusedBy) === true;
    const failure = fits ? undefined : `${error ?? 'no error in any order of the steps'}, expected one about ${refusedBy}`;
    checks.push({ name: `${word}: ${name}`, failure });
    if (fits && word === 'refused') refused++;
    return failure === undefined ? `${word.padEnd(9)} ${name}: ${error}` : `NOT ${word}: ${name}: ${failure}`;
  };

function atLeast(what: string, found: number, promised: number): void {
  checks.push({ name: what, failure: found >= promised ? undefined : `${count(found)}, not ${count(promised)}` });
}

function count(value: number): string {
  return value.toLocaleString('en');
}

type Job = () => Promise<string>;

function jobs<T extends Configuration>(entries: readonly T[], judge: Judge<T>, errorExpected = true): Job[] {
  return entries.map((entry) => async () => judge(entry, await check(entry, { errorExpected, signal: stopping.signal })));
}

/** Replays the traces of some seeds; the first that differs is a failure. */
async function replayFrom(play: Play, first: number): Promise<string> {
  let changes = 0;
  for (let seed = first; seed < first + TRACES_A_JOB; seed++) {
    try {
      changes += await replay(play, seed);
    } catch (error) {
      checks.push({ name: `trace ${seed}, ${play.name}`, failure: messageOf(error) });
      return `DIFFERS   trace ${seed}, ${play.name}: ${messageOf(error)}`;
    }
    replayed++;
  }
  return `replayed  ${TRACES_A_JOB} traces, ${play.name}: the same steps, and the same ${changes} files went or came back`;
}

const queue: Job[] = [
  ...jobs(HOLDING, expectNoError, false),
  ...jobs(BROKEN, expectError('refused')),
  ...jobs(WITNESSES, expectError('happens')),
  ...jobs(UNKEEPABLE, expectError('unkept')),
  ...PLAYS.flatMap((play) =>
    Array.from({ length: TRACES_A_PLAY / TRACES_A_JOB }, (_, index) => async () => await replayFrom(play, index * TRACES_A_JOB + 1)),
  ),
];

async function work(): Promise<void> {
  for (let job = queue.shift(); job !== undefined; job = queue.shift()) console.log(await job());
}

await Promise.all(Array.from({ length: JOBS }, work));
atLeast('states looked at', states, MINIMUM_STATES);
atLeast('traces replayed', replayed, MINIMUM_TRACES);
writeJsonReport('model', 'scripts/model.ts', checks);
const failures = checks.filter(({ failure }) => failure !== undefined);
const seconds = Math.round((performance.now() - startedMs) / 1000);
console.log(
  `${count(states)} states without an error, ${refused} variants refused, ${count(replayed)} traces replayed, ${seconds} s; ${failures.length} failures`,
);
for (const { name, failure } of failures) console.log(`  ${name}: ${failure}`);
if (failures.length > 0) process.exitCode = 1;
