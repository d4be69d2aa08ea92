import type { SimulatedRule } from './falco-line.ts';

type Fields = SimulatedRule['fields'];

const USER: Fields = [
  ['evt_type', 'evt.type'],
  ['user', 'user.name'],
  ['user_uid', 'user.uid'],
  ['user_loginuid', 'user.loginuid'],
];
const PROCESS: Fields = [
  ...USER,
  ['process', 'proc.name'],
  ['proc_exepath', 'proc.exepath'],
  ['parent', 'proc.pname'],
  ['command', 'proc.cmdline'],
  ['terminal', 'proc.tty'],
];
const FLAGS: Fields = [...PROCESS, ['exe_flags', 'evt.arg.flags']];
const CONNECTION: Fields = [
  ['connection', 'fd.name'],
  ['lport', 'fd.lport'],
  ['rport', 'fd.rport'],
  ['fd_type', 'fd.type'],
  ['fd_proto', 'fd.l4proto'],
  ...PROCESS,
];

/** The rules the simulated sensors have loaded: names, priorities and fields as upstream, texts our own. */
export const RULES = {
  apiServer: {
    rule: 'Contact K8S API Server From Container',
    priority: 'Notice',
    text: 'A container talks to the Kubernetes API server',
    tags: ['T1565', 'container', 'k8s', 'maturity_stable', 'mitre_discovery', 'network'],
    fields: CONNECTION,
  },
  shellUntrusted: {
    rule: 'Run shell untrusted',
    priority: 'Notice',
    text: 'A program that is no shell started one',
    tags: ['T1059.004', 'container', 'host', 'maturity_stable', 'mitre_execution', 'process', 'shell'],
    fields: [['pcmdline', 'proc.pcmdline'], ...FLAGS],
  },
  terminalShell: {
    rule: 'Terminal shell in container',
    priority: 'Notice',
    text: 'Somebody opened a shell with a terminal in a container',
    tags: ['T1059', 'container', 'maturity_stable', 'mitre_execution', 'shell'],
    fields: FLAGS,
  },
  memfd: {
    rule: 'Fileless execution via memfd_create',
    priority: 'Critical',
    text: 'A program ran from memory, without a file',
    tags: ['T1620', 'container', 'host', 'maturity_stable', 'mitre_defense_evasion', 'process'],
    fields: [['proc_cwd', 'proc.cwd'], ['evt_res', 'evt.res'], ...FLAGS],
  },
  sensitiveFile: {
    rule: 'Read sensitive file untrusted',
    priority: 'Warning',
    text: 'A program that need not know opened a sensitive file',
    tags: ['T1555', 'container', 'filesystem', 'host', 'maturity_stable', 'mitre_credential_access'],
    fields: [['file', 'fd.name'], ...PROCESS],
  },
  packages: {
    rule: 'Launch Package Management Process in Container',
    priority: 'Error',
    text: 'Packages are installed in a running container',
    tags: ['T1505', 'container', 'maturity_incubating', 'mitre_persistence', 'process', 'software_mgmt'],
    fields: FLAGS,
  },
  redirect: {
    rule: 'Redirect STDOUT/STDIN to Network Connection in Container',
    priority: 'Notice',
    text: 'Input and output of a program go over the network',
    tags: ['T1059', 'container', 'maturity_stable', 'mitre_execution', 'network', 'process'],
    fields: CONNECTION,
  },
  drop: {
    rule: 'Drop and execute new binary in container',
    priority: 'Critical',
    text: 'A program ran that is no part of the image',
    tags: ['PCI_DSS_11.5.1', 'TA0003', 'container', 'maturity_stable', 'mitre_persistence', 'process'],
    fields: [
      ['proc_exe', 'proc.exe'],
      ['proc_cwd', 'proc.cwd'],
      ['container_start_ts', 'container.start_ts'],
      ...FLAGS,
    ],
  },
  miner: {
    rule: 'Detect crypto miners using the Stratum protocol',
    priority: 'Critical',
    text: 'A program speaks the protocol of mining pools',
    tags: ['T1496', 'container', 'host', 'maturity_sandbox', 'mitre_impact', 'process'],
    fields: FLAGS,
  },
  releaseAgent: {
    rule: 'Detect release_agent File Container Escapes',
    priority: 'Critical',
    text: 'A container writes the file that makes the node run its program',
    tags: ['T1611', 'container', 'maturity_stable', 'mitre_privilege_escalation', 'process'],
    fields: [['file', 'fd.name'], ['cap_effective', 'thread.cap_effective'], ...PROCESS],
  },
  heartbeat: {
    rule: 'Eyrie heartbeat',
    priority: 'Debug',
    text: 'The sensor of this node is alive',
    tags: ['eyrie_heartbeat'],
    fields: [['evt_type', 'evt.type']],
  },
} as const satisfies Record<string, SimulatedRule>;
