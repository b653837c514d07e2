import * as z from 'zod/mini';
import { described, flag, text } from './parts.ts';

export const pins = z
  .prefault(
    z.strictObject({
      imageRefs: z
        ._default(z.array(text()), [])
        .check(described('Image ids whose base files are kept: the original, resized and legacy ones.')),
      fileNames: z
        ._default(
          z.array(text().check(z.regex(/^[^/]*$/, { error: 'is a glob over file names in the base directory and has no "/"' }))),
          [],
        )
        .check(described('Globs over file names in the base directory, such as `swap_*`.')),
      wantedImages: z
        ._default(z.array(text()), [])
        .check(
          described(
            'Image ids that should be on every node: kept like `imageRefs`, and each node says whether it has them. Nothing is fetched.',
          ),
        ),
      configMaps: z
        .prefault(
          z.strictObject({
            enabled: flag(
              false,
              "Also keep what ConfigMaps with the label `basekeeper.io/pins` in the agent's namespace list, under the keys `imageRefs`, `fileNames` and `wantedImages`, one per line.",
            ),
          }),
          {},
        )
        .check(
          described(
            'Pins that can be changed without a new configuration. The node annotations `basekeeper.io/pin` and `basekeeper.io/wanted` need no switch.',
          ),
        ),
    }),
    {},
  )
  .check(described('What is kept though nothing uses it.'));
