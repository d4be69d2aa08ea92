/**
 * Where an address lies, coarse enough to stay the same when a pod restarts or a service moves between hosts:
 * loopback, link_local (metadata services), private, any, or the first half of a public network.
 */
export function addressScope(address: string): string {
  if (address.includes(':')) return scope6(address.toLowerCase());
  const [a = 0, b = 0] = address.split('.', 2).map(Number);
  if (a === 127) return 'loopback';
  if (a === 0) return 'any';
  if (a === 169 && b === 254) return 'link_local';
  const isPrivate =
    a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 100 && b >= 64 && b < 128);
  return isPrivate ? 'private' : `${a}.${b}`;
}

function scope6(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  if (mapped !== undefined) return addressScope(mapped);
  if (address === '::1') return 'loopback';
  if (address === '::') return 'any';
  if (/^f[cd]/.test(address)) return 'private';
  if (/^fe[89ab]/.test(address)) return 'link_local';
  return address.split(':', 2).join(':');
}

export interface Connection {
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
}

const CONNECTION = /^([0-9a-f.:]+):(\d{1,5})->([0-9a-f.:]+):(\d{1,5})$/i;

/** Reads Falco's `client:port->server:port`. */
export function parseConnection(name: string): Connection | undefined {
  if (!name.includes('->')) return undefined;
  const match = CONNECTION.exec(name);
  if (match === null) return undefined;
  const [, client = '', clientPort, server = '', serverPort] = match;
  return { client, clientPort: Number(clientPort), server, serverPort: Number(serverPort) };
}
