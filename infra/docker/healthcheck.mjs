/**
 * Health of the container, asked of the process itself: a role answers on its health port, everything in one process
 * at least on the gateway's. The first that answers decides.
 */
import http from 'node:http';
import https from 'node:https';

const { EYRIE_HEALTH_PORT = '2803', EYRIE_GATEWAY_PORT = '2801', EYRIE_GATEWAY_TLS_CERT_FILE = '' } = process.env;
const gateway = EYRIE_GATEWAY_TLS_CERT_FILE === '' ? 'http' : 'https';
const PLACES = [
  `http://127.0.0.1:${EYRIE_HEALTH_PORT}/healthz`,
  `${gateway}://127.0.0.1:${EYRIE_GATEWAY_PORT}/healthz`,
];
const TIMEOUT_MS = 2_000;

/** @returns {Promise<number | undefined>} status, nothing where nobody answers */
function ask(place) {
  return new Promise((resolve) => {
    const { get } = place.startsWith('https:') ? https : http;
    // Its own process on the loopback: the certificate is made for another name.
    const request = get(place, { timeout: TIMEOUT_MS, rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
  });
}

for (const place of PLACES) {
  const status = await ask(place);
  if (status !== undefined) process.exit(status === 200 ? 0 : 1);
}
process.exit(1);
