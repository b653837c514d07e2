// Says what to do when an old Node.js runs the project: plain JavaScript, so that an old Node.js can run it.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    `basekeeper needs Node.js 24 or newer, but ${process.execPath} is ${process.version}.\n` +
      'On Linux, "npm ci" puts Node.js 24 into node_modules/.bin and npm scripts use it: run "npm ci", then the same command again.\n' +
      'Elsewhere, install Node.js 24 or newer from your package manager.',
  );
  process.exit(1);
}
