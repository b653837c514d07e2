/**
 * argv: instances path, file with the names that go. The system calls that a safe pass cannot do without, and nothing else: lists, lstats and
 * heads of disks, for the plan and once more under the locks. Then for each removal the 14 calls of ours, by the plain paths.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync, readSync, unlinkSync } from 'node:fs';
import { tryLock } from 'fs-native-extensions';

/** Fewer than may be open. */
const BATCH = 512;
const LOCK_FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const IMAGE_FLAGS = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const BIG = { bigint: true };

const [instancesPath = '', namesPath = ''] = process.argv.slice(2);
const names = JSON.parse(readFileSync(namesPath, 'utf8'));
const head = Buffer.alloc(4096);

look();
for (let from = 0; from < names.length; from += BATCH) {
  const held = names.slice(from, from + BATCH).map((name) => [name, lock(name)]);
  if (from === 0) look();
  for (const [name, fd] of held) {
    remove(`${instancesPath}/_base/${name}`);
    closeSync(fd);
  }
}

function look() {
  for (const name of readdirSync(`${instancesPath}/_base`)) lstatSync(`${instancesPath}/_base/${name}`, BIG);
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
