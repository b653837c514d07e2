/** What to do, at the end of a message. */
export const advice = {
  changed: '; compare the line with a copy of the ledger, and find out who writes there',
  missing: '; look for them in a copy of the ledger, and find out who removed them',
  rewritten: ': the ledger was rewritten; compare it with a copy, and find out who writes there',
  unreadable: '; check the disk, and put the file back from a copy of the ledger',
  head: '; put it back from a copy of the ledger, or compare with the mark that the node or the log has (--head)',
  version: '; use the version that wrote it, or a younger one',
  files: '; look whether these files are there, and compare with a copy of the ledger',
  owner: '; compare with a copy of the ledger, then give it to root with mode 0600',
} as const;
