import { FALCO_LINES } from '@eyrie/schemas/fixtures';
import { describeSource } from '../testing/describe-source.ts';
import { falcoK8sAudit } from './falco-k8s-audit.ts';
import { falcoPlugin } from './falco-plugin.ts';
import { falcoSyscall } from './falco-syscall.ts';
import { SOURCES } from './index.ts';

describeSource(falcoSyscall, {
  sources: SOURCES,
  content: { field: 'proc.cwd', value: '"/elsewhere"' },
  fixtures: {
    now: {
      line: FALCO_LINES.alphabetical,
      event: {
        source: 'syscall',
        rule: 'Terminal shell in container',
        host: 'node-1',
        time: '1760000000123456789' as never,
        tactics: ['execution'],
        techniques: ['T1059'],
        maturity: 'stable',
        process_name: 'sh',
        process_executable: '/bin/dash',
        command_line: 'sh -c id',
        parent_name: 'node',
        tty: 34816,
        user_name: 'root',
        user_id: 0,
        container_id: '3f2a91c07be4',
        image: 'registry.example/shop/cart',
        namespace: 'shop',
        pod: 'cart-7d9f8b6c5-x2x4z',
        exe_flags: 'EXE_WRITABLE|EXE_LOWER_LAYER',
      },
    },
    'with k8smeta': {
      line: FALCO_LINES.k8smeta,
      event: { namespace: 'shop', pod: 'cart-1', pod_uid: '6f0c5f0a-0d0b-4c39-9a2f-0a1b2c3d4e5f' },
    },
    'without metadata': {
      line: FALCO_LINES.na_metadata,
      event: { missing: ['container.image.repository', 'container.name', 'k8s.ns.name', 'k8s.pod.name'] },
    },
    'through falcosidekick': { line: FALCO_LINES.falcosidekick, event: { source: 'syscall' } },
    'before Falco 0.30': { line: FALCO_LINES.before_0_30, event: { source: 'syscall', process_name: 'sh' } },
  },
});

describeSource(falcoK8sAudit, {
  sources: SOURCES,
  content: { field: 'ka.uri', value: '"/elsewhere"' },
  fixtures: {
    now: {
      line: FALCO_LINES.k8s_audit,
      event: {
        source: 'k8s_audit',
        audit_user: 'mallory',
        audit_verb: 'create',
        audit_resource: 'pods/exec',
        audit_target: 'cart',
        namespace: 'shop',
        command_line: 'sh',
      },
    },
    'before plugins': {
      line: FALCO_LINES.k8s_audit_before_plugins,
      event: { source: 'k8s_audit', audit_target: 'web-748bd48fcb-hrj2q', namespace: 'shop' },
    },
  },
});

describeSource(falcoPlugin, {
  sources: SOURCES,
  content: { field: 'github.org', value: '"elsewhere"' },
  fixtures: { github: { line: FALCO_LINES.plugin, event: { source: 'github', user_name: 'mallory' } } },
});
