/**
 * Whether `name` is one path component that can be joined to a directory. The executor unlinks only such names,
 * whatever a plan says: a plan is data that may have been stored, edited or sent in between.
 */
export function isEntryName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name);
}
