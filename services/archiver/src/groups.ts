import type { GroupSpec } from '@eyrie/platform/bus/bus';

/** What is read together: topics of one group have equal partition counts. */
export const GROUPS = {
  alerts: { group: 'archiver', inputs: ['judged', 'alerts'] },
  actions: { group: 'archiver-actions', inputs: ['actions'] },
  documents: { group: 'archiver-documents', inputs: ['documents'] },
  records: { group: 'archiver-records', inputs: ['health', 'dead-letter'] },
} as const satisfies Record<string, GroupSpec>;
