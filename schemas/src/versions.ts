/** Format versions of persisted things. Readers accept N and N − 1 and refuse what is newer. */
export const FORMATS = {
  frame: 1,
  record: 1,
  alertState: 1,
  actionState: 1,
  dataDirectory: 1,
  fingerprint: 1,
} as const;
