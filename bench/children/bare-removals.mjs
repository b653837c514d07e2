/**
 * argv: instances path, file with the names that go, number of threads (1 or 2). The system calls that a safe pass cannot do without, and nothing else: lists, lstats and
 * heads of disks, for the plan and once more under the locks. Then for each removal the 14 calls of ours, by the plain paths.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync, readSync, unlinkSync } from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { tryLock } from 'fs-native-extensions';

/** Fewer than may be open. */
const BATCH = 512;
const LOCK_FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const IMAGE_FLAGS = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const BIG = { bigint: true };
/** The other thread may have removed what was listed. */
const IF_THERE = { bigint: true, throwIfNoEntry: false };

const { argv = process.argv.slice(2), shared = new SharedArrayBuffer(4) } = workerData ?? {};
const [instancesPath = '', namesPath = '', threads = '1'] = argv;
const names = JSON.parse(readFileSync(namesPath, 'utf8'));
const half = threads === '2' ? Math.ceil(names.length / 2) : names.length;
const head = Buffer.alloc(4096);
/** 1: the plan is made. */
const planned = new Int32Array(shared);

if (isMainThread) {
  // The other one starts and loads while this one looks for the plan.
  const other = half < names.length ? new Worker(new URL(import.meta.url), { workerData: { argv, shared } }) : undefined;
  other?.once('error', (error) => {
    throw error;
  });
  look();
  Atomics.store(planned, 0, 1);
  Atomics.notify(planned, 0);
  removeAll(names.slice(0, half));
} else {
  Atomics.wait(planned, 0, 0);
  removeAll(names.slice(half));
}

function removeAll(these) {
  for (let from = 0; from < these.length; from += BATCH) {
    const held = these.slice(from, from + BATCH).map((name) => [name, lock(name)]);
    if (from === 0) look();
    for (const [name, fd] of held) {
      remove(`${instancesPath}/_base/${name}`);
      closeSync(fd);
    }
  }
}

function look() {
  for (const name of readdirSync(`${instancesPath}/_base`)) lstatSync(`${instancesPath}/_base/${name}`, IF_THERE);
  for (const entry of readdirSync(instancesPath, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name === '_base' || entry.name === 'locks') continue;
    for (const name of readdirSync(`${instancesPath}/${entry.name}`)) {
      const path = `${instancesPath}/${entry.name}/${name}`;
      lstatSync(path, BIG);
      const fd = openSync(path);
      readSync(fd, head, 0, head.length, 0);
      closeSync(fd);
    }
  }
}

function lock(name) {
  const path = `${instancesPath}/locks/nova-${name}`;
  lstatSync(path, BIG);
  const fd = openSync(path, LOCK_FLAGS);
  fstatSync(fd, BIG);
  if (!tryLock(fd)) throw new Error(`${path} is locked`);
  lstatSync(path, BIG);
  lstatSync(`${instancesPath}/_base/${name}`, BIG);
  return fd;
}

function remove(path) {
  lstatSync(path, BIG);
  const fd = openSync(path, IMAGE_FLAGS);
  fstatSync(fd, BIG);
  if (!tryLock(fd, 100, 201)) throw new Error(`${path} is locked`);
  lstatSync(path, BIG);
  unlinkSync(path);
  closeSync(fd);
}
