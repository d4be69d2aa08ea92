import { randomBytes } from 'node:crypto';
import { unlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Session } from 'chdb';
import { quote } from '../../store/insert.ts';
import { FrontError, type FrontUser, readUser, statusOf } from './front-answers.ts';

/**
 * A TEST FIXTURE, no server: what the ClickHouse HTTP interface promises, as far as Eyrie's client uses it, in front of
 * the embedded engine. `node front-child.ts DIRECTORY USERS_JSON [CLUSTER]`; tells its port to its parent and ends with
 * it. A cluster is one shard without replicas or Keeper: what needs those is left out of statements.
 */
const [directory = '', users = '{}', cluster = ''] = process.argv.slice(2);
const known = JSON.parse(users) as Readonly<Record<string, FrontUser>>;
const MAX_BODY_BYTES = 256 * 1024 * 1024;
/** As the server's `http_max_uri_size`. */
const MAX_URL_BYTES = 1024 * 1024;
/** Parameters of the interface itself; every other one is a setting. */
const OWN = new Set(['query', 'database', 'default_format', 'query_id', 'wait_end_of_query', 'user', 'password']);
/** Where the rows of an insert stand in its statement: behind the names of its columns. */
const INSERT = /^(\s*INSERT\s+INTO\s+[\w.]+\s*(?:\([^)]*\))?)([\s\S]*)$/i;

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
const engine = new Session(directory, { connectionArgs: cluster === '' ? [] : [`--config-file=${clusterFile()}`] });

function clusterFile(): string {
  const file = join(directory, 'cluster.xml');
  const shard = '<shard><replica><host>127.0.0.1</host><port>9000</port></replica></shard>';
  writeFileSync(
    file,
    `<clickhouse><tcp_port>9000</tcp_port><remote_servers><${cluster}>${shard}</${cluster}></remote_servers></clickhouse>`,
  );
  return file;
}

function withoutKeeper(sql: string): string {
  if (cluster === '' || !/^(CREATE|ALTER|DROP) /.test(sql)) return sql;
  return sql
    .replace(` ON CLUSTER \`${cluster}\``, '')
    .replace(/\bReplicated(?=\w*MergeTree)/, '')
    .replace('replicated_deduplication_window_seconds = 86400, ', '')
    .replace(/\breplicated_deduplication_window\b/, 'non_replicated_deduplication_window');
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new FrontError(0, 'the body is larger than this fixture takes');
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}

/** A session of its own for each request, as the server has it: first what the user is, then what the request asks. */
async function run(user: FrontUser, parameters: URLSearchParams, body: Buffer): Promise<Buffer> {
  const session = new Session(directory);
  let file: string | undefined;
  try {
    if (user.readonly !== undefined) await session.queryAsync(`SET readonly = ${user.readonly}`);
    const settings = [...parameters].filter(([name]) => !OWN.has(name));
    const written = settings.map(([name, value]) => `${name} = ${quote(value).replaceAll('\u0000', '\\0')}`);
    if (written.length > 0) await session.queryAsync(`SET ${written.join(', ')}`);
    const database = parameters.get('database');
    if (database !== null) await session.queryAsync(`USE ${database}`);
    let sql = withoutKeeper(parameters.get('query') ?? body.toString('utf8'));
    const insert = parameters.has('query') ? INSERT.exec(sql) : null;
    if (insert !== null) {
      file = join(directory, `body-${randomBytes(8).toString('hex')}`);
      writeFileSync(file, body);
      sql = `${insert[1]} FROM INFILE ${quote(file)} ${insert[2]}`;
    }
    const format = parameters.get('default_format') ?? 'TabSeparated';
    return Buffer.from((await session.queryAsync(sql, { format })).bytes());
  } finally {
    session.close();
    if (file !== undefined) unlinkSync(file);
  }
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://front');
  if (url.pathname === '/ping') return void response.end('Ok.\n');
  const body = await readBody(request);
  try {
    const result = await run(readUser(known, request.headers, url.searchParams), url.searchParams, body);
    response.setHeader('X-ClickHouse-Summary', '{"read_rows":"0"}');
    response.end(result);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const code = Number(/Code: (\d+)\./.exec(text)?.[1] ?? 1_002);
    response.writeHead(statusOf(code), { 'X-ClickHouse-Exception-Code': String(code) });
    response.end(`${text}\n`);
  }
}

const server = createServer({ maxHeaderSize: MAX_URL_BYTES }, (request, response) => {
  handle(request, response).catch(() => request.socket.destroy());
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined });
});
process.once('exit', () => engine.close());
