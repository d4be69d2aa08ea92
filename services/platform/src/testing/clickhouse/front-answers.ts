import type { IncomingHttpHeaders } from 'node:http';

export interface FrontUser {
  readonly password: string;
  /** As in the user's profile. */
  readonly readonly?: number;
}

export class FrontError extends Error {
  constructor(code: number, message: string) {
    super(`Code: ${code}. DB::Exception: ${message}`);
  }
}

/** Who is asking: HTTP Basic or the headers of ClickHouse. @throws FrontError as the server words it */
export function readUser(
  users: Readonly<Record<string, FrontUser>>,
  headers: IncomingHttpHeaders,
  parameters: URLSearchParams,
): FrontUser {
  const basic = /^Basic (.+)$/.exec(headers.authorization ?? '')?.[1];
  const [name = '', ...rest] = basic === undefined ? [] : Buffer.from(basic, 'base64').toString('utf8').split(':');
  const user = basic === undefined ? (headers['x-clickhouse-user'] ?? parameters.get('user') ?? 'default') : name;
  const password =
    basic === undefined ? (headers['x-clickhouse-key'] ?? parameters.get('password') ?? '') : rest.join(':');
  const known = typeof user === 'string' && Object.hasOwn(users, user) ? users[user] : undefined;
  if (known !== undefined && known.password === password) return known;
  throw new FrontError(
    516,
    `${String(user)}: Authentication failed: password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)`,
  );
}

const STATUS: Readonly<Record<number, number>> = {
  27: 400,
  47: 404,
  60: 404,
  62: 400,
  81: 404,
  115: 404,
  159: 408,
  192: 403,
  193: 403,
  194: 401,
  497: 403,
  516: 403,
};

/** The HTTP status the server gives one of its errors. */
export function statusOf(code: number): number {
  return STATUS[code] ?? 500;
}
