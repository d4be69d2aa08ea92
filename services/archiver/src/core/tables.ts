import {
  ACTION_VERSION_COLUMNS,
  ALERT_VERSION_COLUMNS,
  type Column,
  DEAD_LETTER_COLUMNS,
  DOCUMENT_COLUMNS,
  DUPLICATE_COLUMNS,
  EVENT_COLUMNS,
  HEALTH_COLUMNS,
  type TopicName,
} from '@eyrie/schemas';

/** Which topic feeds which table: a table has one source, so that one range of records names its inserts. */
export const TABLES = {
  events: { topic: 'judged', columns: EVENT_COLUMNS },
  duplicates: { topic: 'judged', columns: DUPLICATE_COLUMNS },
  alert_versions: { topic: 'alerts', columns: ALERT_VERSION_COLUMNS },
  action_versions: { topic: 'actions', columns: ACTION_VERSION_COLUMNS },
  documents: { topic: 'documents', columns: DOCUMENT_COLUMNS },
  health_records: { topic: 'health', columns: HEALTH_COLUMNS },
  dead_letter_records: { topic: 'dead-letter', columns: DEAD_LETTER_COLUMNS },
} as const satisfies Record<string, { topic: TopicName; columns: readonly Column[] }>;

export type TableName = keyof typeof TABLES;
