import type { Event } from '@eyrie/schemas';

/** What a detection is about, as far as the scorer cares. */
export type RuleClass =
  | 'escape'
  | 'memory_execution'
  | 'dropped_binary'
  | 'miner'
  | 'reverse_shell'
  | 'kernel_module'
  | 'namespace_change'
  | 'exploit'
  | 'credential'
  | 'shell'
  | 'persistence'
  | 'tampering'
  | 'discovery'
  | 'network'
  | 'package'
  | 'configuration';

type Maturity = NonNullable<Event['maturity']>;

export interface RuleFacts {
  readonly class: RuleClass;
  readonly maturity: Maturity;
}

/**
 * The upstream Falco rules by maturity and class. Names and maturity are facts of falcosecurity/rules
 * (falco-rules 5.1.0, Apache-2.0); the classes are ours. A rule that is not here has an unknown class: neutral.
 */
const UPSTREAM: Readonly<Record<Maturity, Partial<Record<RuleClass, readonly string[]>>>> = {
  stable: {
    escape: ['Detect release_agent File Container Escapes', 'Debugfs Launched in Privileged Container'],
    memory_execution: ['Fileless execution via memfd_create'],
    dropped_binary: ['Drop and execute new binary in container', 'Execution from /dev/shm'],
    reverse_shell: [
      'Netcat Remote Code Execution in Container',
      'Redirect STDOUT/STDIN to Network Connection in Container',
    ],
    kernel_module: ['Linux Kernel Module Injection Detected'],
    credential: [
      'Directory traversal monitored file read',
      'Read sensitive file trusted after startup',
      'Read sensitive file untrusted',
      'Search Private Keys or Passwords',
      'Create Symlink Over Sensitive Files',
      'Create Hardlink Over Sensitive Files',
      'Find AWS Credentials',
    ],
    shell: ['Run shell untrusted', 'System user interactive', 'Terminal shell in container'],
    tampering: [
      'Clear Log Activities',
      'Remove Bulk Data from Disk',
      'PTRACE attached to process',
      'PTRACE anti-debug attempt',
    ],
    network: [
      'Contact K8S API Server From Container',
      'Packet socket created in container',
      'Disallowed SSH Connection Non Standard Port',
    ],
  },
  incubating: {
    escape: ['Mount Launched in Privileged Container'],
    exploit: [
      'Potential Local Privilege Escalation via Environment Variables Misuse',
      'Backdoored library loaded into SSHD (CVE-2024-3094)',
    ],
    namespace_change: ['Change thread namespace', 'Change namespace privileges via unshare'],
    credential: ['Read ssh information', 'Contact EC2 Instance Metadata Service From Container'],
    shell: ['DB program spawned process'],
    persistence: [
      'Modify Shell Configuration File',
      'Schedule Cron Jobs',
      'User mgmt binaries',
      'Create files below dev',
      'Adding ssh keys to authorized_keys',
      'Set Setuid or Setgid bit',
      'Non sudo setuid',
      'BPF Program Not Profiled',
    ],
    tampering: ['Delete or rename shell history'],
    discovery: ['Read environment variable from /proc files', 'Contact cloud metadata service from container'],
    network: [
      'System procs network activity',
      'Program run with disallowed http proxy env',
      'Unexpected UDP Traffic',
      'Launch Suspicious Network Tool in Container',
      'Launch Suspicious Network Tool on Host',
      'Launch Remote File Copy Tools in Container',
      'Network Connection outside Local Subnet',
      'Launch Ingress Remote File Copy Tools in Container',
      'Exfiltrating Artifacts via Kubernetes Control Plane',
    ],
    package: ['Launch Package Management Process in Container'],
    configuration: ['Launch Privileged Container', 'Launch Excessively Capable Container'],
  },
  sandbox: {
    escape: ['Privileged Container Device Access', 'Container Access to Host Sensitive Paths'],
    dropped_binary: ['Container Drift Detected (chmod)', 'Container Drift Detected (open+create)'],
    miner: [
      'Detect outbound connections to common miner pool ports',
      'Detect crypto miners using the Stratum protocol',
      'Known Cryptominer Process Executed',
    ],
    reverse_shell: ['Reverse Shell from Web Server', 'Netcat/Socat Remote Code Execution on Host'],
    exploit: [
      'Sudo Potential Privilege Escalation',
      'Unprivileged Delegation of Page Faults Handling to a Userspace Process',
      'Polkit Local Privilege Escalation Vulnerability (CVE-2021-4034)',
      'Java Process Class File Download',
    ],
    shell: ['Web Server Spawned Shell', 'Web Server Spawned Suspicious Child Process'],
    persistence: [
      'Write below binary dir',
      'Write below monitored dir',
      'Write below etc',
      'Write below root',
      'Write below rpm database',
      'Modify binary dirs',
      'Mkdir binary dirs',
      'Modify Container Entrypoint',
    ],
    tampering: ['Create Hidden Files or Directories'],
    discovery: ['Read Shell Configuration File', 'Basic Interactive Reconnaissance'],
    network: [
      'Unexpected inbound connection source',
      'Interpreted procs inbound network activity',
      'Interpreted procs outbound network activity',
      'Unexpected K8s NodePort Connection',
      'Network Tool Executed During NPM Package Install',
      'Decoding Payload in Container',
    ],
    package: ['Update Package Repository'],
    configuration: [
      'Launch Sensitive Mount Container',
      'Launch Disallowed Container',
      'Kubernetes Client Tool Launched in Container',
      'Container Run as Root User',
    ],
  },
};

function read(): ReadonlyMap<string, RuleFacts> {
  const rules = new Map<string, RuleFacts>();
  for (const [maturity, classes] of Object.entries(UPSTREAM)) {
    for (const [name, list] of Object.entries(classes)) {
      for (const rule of list) rules.set(rule, { class: name as RuleClass, maturity: maturity as Maturity });
    }
  }
  return rules;
}

/** What is known of an upstream rule by its name. */
export const CATALOGUE: ReadonlyMap<string, RuleFacts> = read();
