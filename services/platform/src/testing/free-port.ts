import { createServer } from 'node:net';

const PORTS = { first: 20_000, count: 10_000 } as const;

/**
 * A port nobody listens on right now, below those the system gives to connections: it stays free while whoever listens
 * on it is killed and started again.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count);
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
