import { run } from '../cli/run.ts';
import { runProcess } from './process.ts';

await runProcess((argv, env, io) => run(argv, env, io, () => import('../wire/commands.ts')));
