/** Kinds of Falco events, written after the shapes real sensors send. `{…}` is filled for each event. */
export interface Shape {
  readonly rule: string;
  readonly priority: string;
  readonly tags: readonly string[];
  readonly text: string;
  readonly type: string;
  readonly process: string;
  readonly executable: string;
  readonly parent: string;
  readonly command: string;
  readonly tty: number;
  readonly uid: number;
  readonly user: string;
  readonly extra: Readonly<Record<string, string | number | null>>;
}

const EXEC = 'EXE_WRITABLE|EXE_LOWER_LAYER';
const ancestors = { 'proc.aname[2]': 'entrypoint.sh', 'proc.aname[3]': 'containerd-shim', 'proc.aname[4]': 'systemd' };

function shape(
  rule: string,
  priority: string,
  tags: string,
  text: string,
  [type, process, executable, parent, command]: readonly [string, string, string, string, string],
  extra: Shape['extra'],
  [uid, user, tty]: readonly [number, string, number] = [0, 'root', 0],
): Shape {
  return {
    rule,
    priority,
    tags: tags.split(' '),
    text,
    type,
    process,
    executable,
    parent,
    command,
    tty,
    uid,
    user,
    extra,
  };
}

export const SHAPES: readonly Shape[] = [
  shape(
    'Terminal shell in container',
    'Notice',
    'T1059 container maturity_stable mitre_execution shell',
    'A shell was spawned in a container with an attached terminal',
    ['execve', 'bash', '/bin/bash', 'containerd-shim', 'bash -il'],
    { 'evt.arg.flags': EXEC },
    [0, 'root', 34816],
  ),
  shape(
    'Read sensitive file untrusted',
    'Warning',
    'T1555 container filesystem host maturity_stable mitre_credential_access',
    'Sensitive file opened for reading by non-trusted program',
    ['openat', 'backup', '/usr/local/bin/backup', 'cron', 'backup --job {pid} --all'],
    { 'fd.name': '/etc/shadow', ...ancestors },
  ),
  shape(
    'Contact K8S API Server From Container',
    'Notice',
    'T1565 container k8s maturity_stable mitre_discovery network',
    'Unexpected connection to K8s API Server from container',
    ['connect', '{workload}', '/app/{workload}', 'containerd-shim', '{workload} --listen :8080'],
    {
      'fd.l4proto': 'tcp',
      'fd.lport': '{port}',
      'fd.name': '10.{octet}.7.9:{port}->10.96.0.1:443',
      'fd.rport': 443,
      'fd.type': 'ipv4',
    },
    [1000, 'app', 0],
  ),
  shape(
    'Run shell untrusted',
    'Notice',
    'T1059.004 container host maturity_stable mitre_execution process shell',
    'Shell spawned by untrusted binary',
    ['execve', 'sh', '/bin/dash', '{workload}', 'sh -c /healthz.sh {pid}'],
    {
      'evt.arg.flags': EXEC,
      'proc.pcmdline': '{workload} --listen :8080',
      'proc.pexepath': '/app/{workload}',
      'proc.aname[5]': 'systemd',
      'proc.aname[6]': null,
      ...ancestors,
    },
    [1000, 'app', 0],
  ),
  shape(
    'Drop and execute new binary in container',
    'Critical',
    'PCI_DSS_11.5.1 TA0003 container maturity_stable mitre_persistence process',
    'Executing binary not part of base image',
    ['execve', 'agent', '/tmp/agent.{hex}', 'sh', '/tmp/agent.{hex} --once'],
    {
      'container.start_ts': '{start}',
      'evt.arg.flags': 'EXE_WRITABLE|EXE_UPPER_LAYER',
      'proc.cwd': '/tmp/',
      'proc.exe': '/tmp/agent.{hex}',
      'proc.exe_ino.ctime': '{nanos}',
      'proc.exe_ino.ctime_duration_proc_start': 48211977,
      'proc.exe_ino.mtime': '{nanos}',
      'proc.sname': 'sh',
      'proc.aname[2]': 'entrypoint.sh',
    },
  ),
  shape(
    'Clear Log Activities',
    'Warning',
    'NIST_800-53_AU-10 T1070 container filesystem host maturity_stable mitre_defense_evasion',
    'Log files were tampered',
    ['openat', 'logrotate', '/usr/sbin/logrotate', 'cron', 'logrotate /etc/logrotate.conf'],
    { 'fd.name': '/var/log/{workload}/access.{pid}.log' },
  ),
  shape(
    'Packet socket created in container',
    'Notice',
    'T1557.002 container maturity_stable mitre_credential_access network',
    'Packet socket was created in a container',
    ['socket', 'probe', '/usr/bin/probe', 'entrypoint.sh', 'probe -i eth0'],
    {
      'evt.args': 'domain=17(AF_PACKET) type=3 proto=768',
      'fd.l4proto': null,
      'fd.lport': null,
      'fd.name': '',
      'fd.rport': null,
      'fd.type': null,
    },
  ),
  shape(
    'PTRACE anti-debug attempt',
    'Notice',
    'T1622 container host maturity_stable mitre_defense_evasion process',
    'Detected potential PTRACE_TRACEME anti-debug attempt',
    ['ptrace', 'license', '/opt/license', 'entrypoint.sh', 'license --check'],
    { 'proc.pcmdline': '/bin/sh /entrypoint.sh' },
  ),
  shape(
    'Search Private Keys or Passwords',
    'Warning',
    'PCI_DSS_10.2 T1552.001 container filesystem host maturity_stable mitre_credential_access process',
    'Grep private keys or passwords activities found',
    ['execve', 'find', '/bin/find', 'sh', 'find /data/{hex} -maxdepth 2 -name id_rsa'],
    { 'evt.arg.flags': EXEC },
  ),
  shape(
    'Redirect STDOUT/STDIN to Network Connection in Container',
    'Notice',
    'T1059 container maturity_stable mitre_execution network process',
    'Redirect stdout/stdin to network connection',
    ['dup2', 'python3', '/usr/bin/python3.11', '{workload}', 'python3 -m worker --id {uuid}'],
    {
      'fd.l4proto': 'tcp',
      'fd.lport': '{port}',
      'fd.name': '10.{octet}.7.9:{port}->93.184.216.{octet}:443',
      'fd.rport': 443,
      'fd.sip': '93.184.216.{octet}',
      'fd.type': 'ipv4',
      'proc.aname[2]': 'entrypoint.sh',
    },
    [1000, 'app', 0],
  ),
  shape(
    'Remove Bulk Data from Disk',
    'Warning',
    'T1485 container filesystem host maturity_stable mitre_impact process',
    'Bulk data has been removed from disk',
    ['unlinkat', 'shred', '/usr/bin/shred', 'sh', 'shred -u /scratch/part-{pid}.bin'],
    { 'evt.arg.flags': EXEC, 'fd.name': '/scratch/part-{pid}.bin' },
  ),
  shape(
    'System user interactive',
    'Informational',
    'NIST_800-53_AC-2 T1059 container host maturity_stable mitre_execution users',
    'System user ran an interactive command',
    ['execve', 'login', '/bin/login', 'sshd', 'login -p'],
    { 'evt.arg.flags': EXEC },
    [33, 'www-data', 34817],
  ),
];
