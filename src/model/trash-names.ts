/** The directory of removed files, below the base directory. Nova lists no directories there, so it never sees what is in it. */
export const TRASH_DIRECTORY = '.basekeeper-trash';

/** What a name in the trash says. */
export interface TrashEntryName {
  /** Of the base file that it was. */
  readonly name: string;
  /** When it was moved here, milliseconds since the epoch. */
  readonly trashedAtMs: number;
}

/** The name under which a base file lies in the trash: `<name>.<ms since the epoch>`. Several of one name may lie there. */
export function trashEntryName({ name, trashedAtMs }: TrashEntryName): string {
  return `${name}.${Math.floor(trashedAtMs)}`;
}

/** Undefined for a name that `trashEntryName` did not make: whatever that is, it is not ours. */
export function parseTrashEntryName(entry: string): TrashEntryName | undefined {
  const [, name, at] = /^(.+)\.(0|[1-9][0-9]{0,14})$/su.exec(entry) ?? [];
  return name === undefined || at === undefined ? undefined : { name, trashedAtMs: Number(at) };
}
