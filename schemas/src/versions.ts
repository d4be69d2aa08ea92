/** Format versions of persisted things. Readers accept N and N − 1 and refuse what is newer. */
export const FORMATS = {
  frame: 1,
  record: 1,
  /** How the embedded log lies in its file; 2: state as blocks. */
  logLayout: 2,
  alertState: 1,
  actionState: 1,
  dataDirectory: 1,
  fingerprint: 1,
  /** Beside the archiver's positions; 2: names the log, and how far rows may be stored already. */
  archiverNote: 2,
} as const;
