import { AppError } from '../errors.ts';

/** @throws AppError EYRIE_CONFIG_INVALID, which never repeats the text: it may hold a password */
export function readServerUrl(text: string): URL {
  const fail = (what: string) => new AppError('EYRIE_CONFIG_INVALID', `EYRIE_CLICKHOUSE_URL: ${what}`);
  if (!URL.canParse(text)) throw fail('must be a URL such as https://clickhouse.example:8443');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw fail('must begin with http:// or https://');
  if (url.username !== '' || url.password !== '') {
    throw fail('must not hold user and password: they go to EYRIE_CLICKHOUSE_USER and EYRIE_CLICKHOUSE_PASSWORD_FILE');
  }
  if (url.pathname !== '/') throw fail('must not have a path: the HTTP interface lies at the root');
  if (url.search !== '' || url.hash !== '') throw fail('must not have a query: settings belong to the user’s profile');
  return url;
}
