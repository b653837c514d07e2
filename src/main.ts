import { VERSION } from './lib/version.ts';

process.stdout.write(`basekeeper ${VERSION}\n`);
