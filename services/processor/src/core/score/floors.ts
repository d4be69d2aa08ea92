import type { Event } from '@eyrie/schemas';
import type { RuleClass } from './catalogue.ts';
import { commandText, isInContainer } from './facts.ts';

const MINERS =
  /\b(?:xmrig|minerd|cpuminer|ethminer|kinsing|kdevtmpfsi|nbminer|phoenixminer|lolminer|cryptonight|randomx)\b/i;
const STRATUM = /stratum\+?(?:tcp|ssl|tls)?:\/\//i;
const REVERSE =
  /\/dev\/(?:tcp|udp)\/|\b(?:ncat?|netcat)(?:\.\w+)?\s(?:.*\s)?-\w*[ec]\w*\s+\S*sh\b|socat\s.*exec:|\bpty\.spawn\(|\bmkfifo\b.*\|\s*\S*sh\b/i;
const SENSOR = /\b(?:kill|killall|pkill|systemctl|service|rmmod|rm|mv|chmod|sed|tee)\b.*\bfalco(?:ctl|-\w+)?\b/;
const SENSOR_FILES = /^\/(?:etc|usr\/share)\/falco\//;
const RUNTIMES =
  /^(?:runc|\.runc|crun|youki|containerd|containerd-shim\S*|dockerd|docker-init|conmon|crio|kubelet|exe|calico|cilium-cni|flanneld?|multus|portmap|bridge|loopback|host-local|ip)$/;

/**
 * The name of the floor an event stands on: such an alert is never below review, whatever its score says.
 * A process names itself, so only a process of the host passes for a container runtime.
 */
export function floorOf(event: Event, ruleClass: RuleClass | undefined): string | undefined {
  const { rule, event_type: type, process_name: name = '', process_executable: executable = '' } = event;
  const command = commandText(event);
  if (
    rule.includes('release_agent') ||
    event.file_name?.endsWith('/release_agent') ||
    command.includes('release_agent')
  )
    return 'release_agent';
  if (ruleClass === 'memory_execution' || executable.startsWith('memfd:') || hasFlag(event, 'EXE_FROM_MEMFD'))
    return 'memfd';
  if (ruleClass === 'kernel_module' || type === 'init_module' || type === 'finit_module') return 'kernel_module';
  if (ruleClass === 'miner' || MINERS.test(command) || MINERS.test(name) || STRATUM.test(command)) return 'miner';
  if (ruleClass === 'reverse_shell' || REVERSE.test(command)) return 'reverse_shell';
  if (SENSOR.test(command) || (isWrite(event) && SENSOR_FILES.test(event.file_name ?? ''))) return 'sensor_tampering';
  const changesNamespace = name === 'nsenter' || type === 'setns' || rule === 'Change thread namespace';
  if (changesNamespace && (isInContainer(event) || !RUNTIMES.test(name))) return 'namespace_change';
  return undefined;
}

export function hasFlag({ exe_flags }: Event, flag: string): boolean {
  return exe_flags?.includes(flag) === true;
}

function isWrite({ rule, exe_flags = '' }: Event): boolean {
  return /O_WRONLY|O_RDWR|O_TRUNC/.test(exe_flags) || rule.startsWith('Write below');
}
