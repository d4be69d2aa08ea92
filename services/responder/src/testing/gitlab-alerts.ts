import type { Answer, Received } from './fakes.ts';

export const ALERT_KEY = 'integration-key';
export const ALERT_PATH = '/sec/triage/alerts/notify/eyrie/0123456789abcdef.json';

interface FakeAlert {
  readonly iid: number;
  readonly fingerprint: string | undefined;
  readonly title: string;
  readonly description: string;
  readonly severity: string;
  readonly started_at: string;
  readonly service: string;
  readonly hosts: readonly string[];
  readonly environment: string | undefined;
  events: number;
  status: 'triggered' | 'resolved';
  /** Of the incident a project may have made of it: the order and the words of GitLab's presenter. */
  readonly incident: string;
}

const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info', 'unknown'];

/** The alert endpoint of a project: lengths are cut, an unknown severity is critical, unresolved fingerprints are counted on. */
export function fakeGitlabAlerts() {
  const alerts: FakeAlert[] = [];
  const json = (status: number, body: unknown): Answer => ({ status, body: JSON.stringify(body) });

  function answer({ method, path, headers, body }: Received): Answer {
    if (path !== ALERT_PATH || method !== 'POST') return json(404, { message: '404 Not Found' });
    if (headers.authorization !== `Bearer ${ALERT_KEY}`) return json(401, { message: '401 Unauthorized' });
    if (Buffer.byteLength(body) > 1024 * 1024) return json(400, { message: 'payload too large' });
    const written = JSON.parse(body) as Readonly<Record<string, string | undefined>>;
    const { fingerprint } = written;
    const held = alerts.find((one) => one.fingerprint === fingerprint && one.status === 'triggered');
    if (held !== undefined && fingerprint !== undefined) {
      if (written['end_time'] !== undefined) held.status = 'resolved';
      else held.events += 1;
      return json(200, [{ iid: held.iid, title: held.title }]);
    }
    const title = (written['title'] ?? 'New: Alert').slice(0, 200);
    const description = (written['description'] ?? '').slice(0, 1_000);
    const service = (written['service'] ?? '').slice(0, 100);
    const hosts = [written['hosts'] ?? []].flat();
    const severity = SEVERITIES.find((word) => word === written['severity']) ?? 'critical';
    const incident = [
      `**Severity:** ${severity}`,
      `**Service:** ${service}`,
      `**Monitoring tool:** ${written['monitoring_tool']}`,
      `**Hosts:** ${hosts.join(' ')}`,
      `**Description:** ${description}`,
    ].join('  \n');
    const place = { iid: alerts.length + 1, fingerprint, environment: written['gitlab_environment_name'] };
    const made = { title, description, severity, service, hosts, started_at: written['start_time'] ?? '', incident };
    alerts.push({ ...place, ...made, events: 1, status: 'triggered' });
    return json(200, [{ iid: place.iid, title }]);
  }

  return { alerts, answer };
}
