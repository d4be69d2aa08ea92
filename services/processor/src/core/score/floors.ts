import type { Event } from '@eyrie/schemas';
import type { RuleClass } from './catalogue.ts';
import { isInContainer } from './facts.ts';

const MINERS =
  /\b(?:xmrig|minerd|cpuminer|ethminer|kinsing|kdevtmpfsi|nbminer|phoenixminer|lolminer|cryptonight|randomx)\b/i;
const STRATUM = /stratum\+?(?:tcp|ssl|tls)?:\/\//i;
/** Each pair must hold; apart, so that no text of an attacker costs more than its length. */
const REVERSE_SHELLS: readonly (readonly [RegExp, RegExp])[] = [
  [/\/dev\/(?:tcp|udp)\/|\bpty\.spawn\(/, /./],
  [/\b(?:nc|ncat|netcat)\b/, /\s-\w{0,8}[ec]\s{1,4}\S{0,64}sh\b/],
  [/\bsocat\b/, /\bexec:/i],
  [/\bmkfifo\b/, /\|\s{0,4}\S{0,64}sh\b/],
];
const SENSOR_VERB = /\b(?:kill|killall|pkill|systemctl|service|rmmod|rm|mv|chmod|sed|tee)\b/;
const SENSOR = /\bfalco(?:ctl|-\w+)?\b/;
const SENSOR_FILES = /^\/(?:etc|usr\/share)\/falco\//;
const RUNTIMES =
  /^(?:runc|\.runc|crun|youki|containerd|containerd-shim\S*|dockerd|docker-init|conmon|crio|kubelet|exe|calico|cilium-cni|flanneld?|multus|portmap|bridge|loopback|host-local|ip)$/;

/** Every command that stands on a floor matches one of these; beside `release_agent`. */
export const COMMAND_SIGNS: readonly RegExp[] = [MINERS, STRATUM, ...REVERSE_SHELLS.map(([tool]) => tool), SENSOR];

/** What a command line says by itself. */
export function floorOfCommand(command: string): string | undefined {
  if (command.includes('release_agent')) return 'release_agent';
  if (MINERS.test(command) || STRATUM.test(command)) return 'miner';
  if (REVERSE_SHELLS.some(([tool, use]) => tool.test(command) && use.test(command))) return 'reverse_shell';
  return SENSOR.test(command) && SENSOR_VERB.test(command) ? 'sensor_tampering' : undefined;
}

/**
 * The name of the floor an event stands on: such an alert is never below review, whatever its score says.
 * A process names itself, so only a process of the host passes for a container runtime.
 */
export function floorOf(
  event: Event,
  ruleClass: RuleClass | undefined,
  byCommand: string | undefined,
): string | undefined {
  const { rule, event_type: type, process_name: name = '', process_executable: executable = '' } = event;
  if (ruleClass !== undefined && FLOOR_CLASSES.has(ruleClass)) return FLOOR_CLASSES.get(ruleClass);
  if (rule.includes('release_agent') || isWayOut(event.file_name)) return 'release_agent';
  if (executable.startsWith('memfd:') || hasFlag(event, 'EXE_FROM_MEMFD')) return 'memfd';
  if (type === 'init_module' || type === 'finit_module') return 'kernel_module';
  if (byCommand !== undefined) return byCommand;
  if (isWrite(event) && isOfSensor(event.file_name)) return 'sensor_tampering';
  const changesNamespace = name === 'nsenter' || type === 'setns' || rule === 'Change thread namespace';
  if (changesNamespace && (isInContainer(event) || !RUNTIMES.test(name))) return 'namespace_change';
  return undefined;
}

export function isWayOut(file: string | undefined): boolean {
  return file?.endsWith('/release_agent') === true;
}

export function isOfSensor(file: string | undefined): boolean {
  return file !== undefined && SENSOR_FILES.test(file);
}

const FLOOR_CLASSES: ReadonlyMap<RuleClass, string> = new Map([
  ['memory_execution', 'memfd'],
  ['kernel_module', 'kernel_module'],
  ['miner', 'miner'],
  ['reverse_shell', 'reverse_shell'],
]);

export function hasFlag({ exe_flags }: Event, flag: string): boolean {
  return exe_flags?.includes(flag) === true;
}

function isWrite({ rule, exe_flags = '' }: Event): boolean {
  return /O_WRONLY|O_RDWR|O_TRUNC/.test(exe_flags) || rule.startsWith('Write below');
}
