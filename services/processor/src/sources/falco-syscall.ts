import { addressScope, parseConnection } from '../core/prepare/address.ts';
import type { EventDraft, Fields, Source } from '../core/prepare/source.ts';
import { cut, flag, integer, text, userId } from '../core/prepare/values.ts';

/** Classes of Falco fields that say what was observed. Metadata (container.name, k8s.*, …) may be filled in late. */
const CONTENT_CLASSES = new Set(['evt', 'proc', 'thread', 'fd', 'fs', 'user', 'group', 'syslog']);
const NO_CONTENT = /^evt\.(?:time|rawtime|datetime|reltime|latency|hostname|source)/;

/** System calls seen by Falco: the default where an old sensor or falcosidekick (`syscalls`) does not say. */
export const falcoSyscall: Source = {
  name: 'syscall',
  claims: (source) => source === undefined || source === 'syscall' || source === 'syscalls',
  isContent: (name) =>
    name === 'container.id' ||
    (CONTENT_CLASSES.has(name.slice(0, Math.max(0, name.indexOf('.')))) && !NO_CONTENT.test(name)),
  normalise,
  salient: (draft) => [
    draft.process_name ?? '',
    draft.parent_name ?? '',
    draft.process_executable ?? '',
    draft.command_line ?? '',
    salientFile(draft),
  ],
};

function normalise(fields: Fields, draft: EventDraft): void {
  draft.event_type = text(fields['evt.type']);
  draft.process_name = text(fields['proc.name']);
  draft.process_executable = text(fields['proc.exepath']) ?? text(fields['proc.exe']);
  draft.command_line = text(fields['proc.cmdline']);
  draft.parent_name = text(fields['proc.pname']);
  draft.parent_command_line = text(fields['proc.pcmdline']);
  draft.working_directory = text(fields['proc.cwd']);
  draft.process_id = integer(fields['proc.pid']);
  draft.tty = integer(fields['proc.tty']);
  draft.exe_flags = text(fields['evt.arg.flags']);
  draft.user_name = text(fields['user.name']);
  draft.user_id = userId(fields['user.uid']);
  draft.login_user_id = userId(fields['user.loginuid']);
  draft.file_name = text(fields['fd.name']) ?? text(fields['fs.path.name']);
  normaliseNetwork(fields, draft);
  normaliseContainer(fields, draft);
}

function normaliseNetwork(fields: Fields, draft: EventDraft): void {
  draft.network_protocol = text(fields['fd.l4proto']);
  draft.local_port = integer(fields['fd.lport']);
  draft.remote_port = integer(fields['fd.rport']);
  draft.remote_ip = text(fields['fd.rip']);
  if (draft.remote_ip !== undefined || draft.file_name === undefined) return;
  const connection = parseConnection(draft.file_name);
  if (connection === undefined) return;
  // Falco writes client->server; the sensor's own side is the one with the local port.
  const isServer = draft.local_port === connection.serverPort && draft.remote_port === connection.clientPort;
  draft.remote_ip = isServer ? connection.client : connection.server;
  draft.remote_port ??= connection.serverPort;
}

/** Container and pod as the sensor knew them: container plugin, k8smeta, or the classic engine. */
export function normaliseContainer(fields: Fields, draft: EventDraft): void {
  const id = text(fields['container.id']);
  draft.container_id = id === undefined || id === 'host' ? id : id.slice(0, 12);
  draft.container = text(fields['container.name']);
  draft.image = text(fields['container.image.repository']);
  draft.image_tag = text(fields['container.image.tag']);
  draft.image_digest = text(fields['container.image.digest']);
  draft.privileged = flag(fields['container.privileged']);
  const started = Number(text(fields['container.start_ts']));
  draft.container_started_at =
    started > 0 && started < Number.POSITIVE_INFINITY ? Math.trunc(started / 1e6) : undefined;
  draft.namespace = text(fields['k8s.ns.name']) ?? text(fields['k8smeta.ns.name']);
  draft.pod = text(fields['k8s.pod.name']) ?? text(fields['k8smeta.pod.name']);
  draft.pod_uid = text(fields['k8s.pod.uid']) ?? text(fields['k8smeta.pod.uid']) ?? text(fields['k8s.pod.id']);
}

/** A connection by protocol, server port and where both ends lie; any other file by its name. */
function salientFile({ file_name: name, network_protocol: protocol }: EventDraft): string {
  if (name === undefined) return '';
  const connection = parseConnection(name);
  if (connection === undefined) return cut(name);
  const scope = `${addressScope(connection.client)}>${addressScope(connection.server)}`;
  return `${protocol ?? 'ip'} ${scope} ${portName(connection.serverPort)}`;
}

/** A port that masking leaves alone: letters instead of digits. Ephemeral ones say nothing. */
function portName(port: number): string {
  return port >= 32_768 ? 'high' : port.toString().replace(/\d/g, (digit) => 'abcdefghij'.charAt(Number(digit)));
}
