/** Scripts that run in the agent's container, by `Session.runInAgent`. */

export const READ_STATUS = `
import { readFileSync } from 'node:fs';
const status = readFileSync('/proc/1/status', 'utf8');
const wanted = ['CapEff', 'CapBnd', 'NoNewPrivs', 'Seccomp'];
console.log(JSON.stringify(Object.fromEntries(wanted.map((key) => [key, new RegExp('^' + key + ':\\\\s*(\\\\S+)', 'm').exec(status)?.[1]]))));
`;

/** Tries to write a file into each of the directories that it is given; prints what came of it. */
export const TRY_TO_WRITE = `
import { rmSync, writeFileSync } from 'node:fs';
const tryIn = (directory) => {
  const path = directory + '/basekeeper-e2e-probe';
  try {
    writeFileSync(path, '');
  } catch (error) {
    return error.code;
  }
  rmSync(path);
  return 'written';
};
console.log(JSON.stringify(process.argv.slice(1).map(tryIn)));
`;

/** Patches the node that it is given with the body that it is given, with the pod's own token; prints status and body of the answer. */
export const PATCH_NODE = `
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
const [name, body] = process.argv.slice(1);
const account = (file) => readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/' + file, 'utf8');
const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
const headers = { authorization: 'Bearer ' + account('token'), 'content-type': 'application/merge-patch+json' };
const path = '/api/v1/nodes/' + name + '?fieldManager=basekeeper';
const sent = request({ host, port, path, method: 'PATCH', ca: account('ca.crt'), headers }, async (answer) => {
  console.log(answer.statusCode, (await text(answer)).replaceAll('\\n', ' '));
});
sent.end(body);
`;

/** Prints the last report, which the agent serves on its pod's loopback. */
export const READ_REPORT = `
process.stdout.write(await (await fetch('http://127.0.0.1:9818/report')).text());
`;

/** Asks each URL that it is given for its status, with the headers that it is given first as JSON, and prints them; an error's code where none answers. */
export const ASK = `
import { request as plain } from 'node:http';
import { request as secure } from 'node:https';
const [headers, ...urls] = process.argv.slice(1);
const ask = (url) =>
  new Promise((resolve) => {
    const options = { headers: JSON.parse(headers), agent: false, rejectUnauthorized: false, timeout: 5000 };
    const sent = (url.startsWith('https:') ? secure : plain)(url, options, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    sent.on('error', ({ code }) => resolve(code));
    sent.on('timeout', () => sent.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
    sent.end();
  });
console.log(JSON.stringify(await Promise.all(urls.map(ask))));
`;

/**
 * Given the path of a kubeconfig in JSON, the beginning of a path, how many objects it stands for, changes a second, and seconds: patches one object after
 * the other, and prints how many changes were answered well.
 */
export const CHANGE_OBJECTS = `
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
const [config, prefix, count, perSecond, seconds] = process.argv.slice(1);
const { clusters: [{ cluster }], users: [{ user }] } = JSON.parse(readFileSync(config, 'utf8'));
const bytes = (text) => (text === undefined ? undefined : Buffer.from(text, 'base64'));
const agent = new Agent({
  keepAlive: true,
  ca: bytes(cluster['certificate-authority-data']),
  cert: bytes(user['client-certificate-data']),
  key: bytes(user['client-key-data']),
});
const headers = { 'Content-Type': 'application/merge-patch+json', ...(user.token && { Authorization: 'Bearer ' + user.token }) };
const patch = (path, body) =>
  new Promise((resolve, reject) => {
    const sent = request(new URL(path, cluster.server), { method: 'PATCH', agent, headers }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode));
    });
    sent.on('error', reject).end(JSON.stringify(body));
  });
let changes = 0;
const began = Date.now();
for (let change = 0; Date.now() - began < Number(seconds) * 1000; change += 1) {
  const body = { metadata: { annotations: { 'example.org/change': String(change) } } };
  if ((await patch(prefix + (change % Number(count)), body)) === 200) changes += 1;
  const nextMs = began + ((change + 1) * 1000) / Number(perSecond) - Date.now();
  if (nextMs > 0) await pause(nextMs);
}
agent.destroy();
console.log(changes);
`;
