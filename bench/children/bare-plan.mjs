/** argv: instances path. What a plan cannot do without, and nothing else: lists, lstats, and reads the head of every disk. */
import { closeSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';

const [instancesPath = ''] = process.argv.slice(2);
const head = Buffer.alloc(4096);
let seen = 0;

for (const name of readdirSync(`${instancesPath}/_base`)) {
  lstatSync(`${instancesPath}/_base/${name}`);
  seen += 1;
}
for (const entry of readdirSync(instancesPath, { withFileTypes: true })) {
  if (!entry.isDirectory() || entry.name === '_base') continue;
  for (const name of readdirSync(`${instancesPath}/${entry.name}`)) {
    const path = `${instancesPath}/${entry.name}/${name}`;
    lstatSync(path);
    const fd = openSync(path);
    readSync(fd, head, 0, head.length, 0);
    closeSync(fd);
    seen += 1;
  }
}
console.log(seen);
