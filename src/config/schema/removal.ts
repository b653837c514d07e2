import * as z from 'zod/mini';
import { QUANTITY } from '../quantity.ts';
import { absolutePath, described, flag, seconds, TEN_YEARS_SECONDS } from './parts.ts';

const percent = (value: number, description: string) => z._default(z.int().check(z.gte(1), z.lte(99)), value).check(described(description));

const NOT_A_QUANTITY = 'must be bytes or a quantity such as 200Gi, at least 1';

/** Removals before their time. */
export const pressure = z
  .prefault(
    z.strictObject({
      enabled: flag(
        false,
        'Remove unused files before their minimum age, oldest first, while the file system is too full. Never below minimumAgeFloorSeconds.',
      ),
      highThresholdPercent: percent(85, 'Removals before their time begin when the file system is fuller than this, as df shows it.'),
      lowThresholdPercent: percent(80, 'They end when it is not fuller than this.'),
    }),
    {},
  )
  .check(described('What to do when the file system of the base directory is nearly full.'));

/** How much the cache may hold. */
export const budget = z
  .prefault(
    z.strictObject({
      maxBytes: z
        .optional(
          z.union([z.int().check(z.gte(1)), z.string().check(z.regex(QUANTITY, { error: NOT_A_QUANTITY }))], { error: NOT_A_QUANTITY }),
        )
        .check(
          described(
            'What everything below the base directory may take, trash included: bytes, or a quantity such as `200Gi`. Above it unused files go before their minimum age, least recently used first. Never below minimumAgeFloorSeconds. Default: no budget.',
          ),
        ),
      maxPercentOfFilesystem: z
        .optional(z.int().check(z.gte(1), z.lte(99)))
        .check(described('The same as a share of the size of its file system. One of the two.')),
      lowPercentOfMax: percent(90, 'Removals before their time end when no more than this share of the budget is taken.'),
    }),
    {},
  )
  .check(described('How much the cache may hold.'));

/** Removals that can be taken back. */
export const trash = z
  .prefault(
    z.strictObject({
      enabled: flag(
        false,
        'Move removed files to `.basekeeper-trash` in the base directory instead of unlinking them. `basekeeper restore` puts them back.',
      ),
      graceSeconds: seconds(
        259_200,
        0,
        TEN_YEARS_SECONDS,
        'How long a removed file stays there, unless space gets short (`pressure`, `budget`). Counts for files that are still there after `enabled` was taken back as well.',
      ),
    }),
    {},
  )
  .check(described('Removal that can be taken back.'));

/** Where removals are recorded. */
export const ledger = z
  .prefault(
    z.strictObject({
      enabled: flag(
        true,
        'Record each removal on disk before the file goes: which file, on what evidence, and who asked. A file whose record cannot be written stays, unless its removal makes room on a full file system.',
      ),
      directory: z
        .optional(absolutePath())
        .check(
          described(
            'Where the records are, in a directory for each host. The directory above must exist. Default: `basekeeper-ledger` in `locksPath`.',
          ),
        ),
      maxBytes: z
        ._default(z.int().check(z.gte(4_194_304), z.lte(1_099_511_627_776)), 16_777_216)
        .check(
          described(
            'How much of the records is kept. The oldest go first, a file of about 1 MiB at a time. Those of passes that run and of the last one stay, however much they are.',
          ),
        ),
      maxAgeDays: z
        ._default(z.int().check(z.gte(1), z.lte(3650)), 365)
        .check(described('How long records are kept, unless there are too many. They go as whole files.')),
    }),
    {},
  )
  .check(described('The record of removals.'));

/** What is found out of files that are kept. */
export const verify = z
  .prefault(
    z.strictObject({
      enabled: flag(
        false,
        'Look in each pass whether the headers of base files make sense and their virtual sizes are what their names say. A contradiction is a finding and an event, never a removal.',
      ),
      checksums: z
        .prefault(
          z.strictObject({
            enabled: flag(
              false,
              'The agent records the SHA-256 of base files in `.basekeeper-checksums` in the base directory and reads each file again once a day at most. Needs `verify.enabled`.',
            ),
            bytesPerSecond: z
              ._default(z.int().check(z.gte(65_536), z.lte(10_737_418_240)), 20_971_520)
              .check(described('How much of the files is read in a second, at most, holes included. One file at a time.')),
          }),
          {},
        )
        .check(described('Whether the content of base files stays what it was.')),
    }),
    {},
  )
  .check(described('Whether base files are what they should be.'));
