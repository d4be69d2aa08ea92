import type { Source } from '../core/prepare/source.ts';
import { falcoK8sAudit } from './falco-k8s-audit.ts';
import { falcoPlugin } from './falco-plugin.ts';
import { falcoSyscall } from './falco-syscall.ts';

/** Every source, asked in this order. Audit first: old audit events carry no source and would pass for system calls. */
export const SOURCES: readonly Source[] = [falcoK8sAudit, falcoSyscall, falcoPlugin];
