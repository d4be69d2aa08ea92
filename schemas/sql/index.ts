/** Where the numbered migrations lie (`NNNN_name.sql`; `{{…}}` is filled by the runner). */
export const SQL_DIRECTORY = new URL('./', import.meta.url);
