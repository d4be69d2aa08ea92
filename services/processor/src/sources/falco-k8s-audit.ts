import type { EventDraft, Fields, Source } from '../core/prepare/source.ts';
import { text } from '../core/prepare/values.ts';

/** Kubernetes audit events through Falco's k8saudit plugins (`ka.*`), also of the time before plugins (`jevt.time`). */
export const falcoK8sAudit: Source = {
  name: 'k8s_audit',
  claims: (source, fields) =>
    source === 'k8s_audit' ||
    ((source === undefined || source === 'syscalls') && (fields['jevt.time'] !== undefined || hasAuditField(fields))),
  isContent: (name) => name.startsWith('ka.') || name.startsWith('jevt.value'),
  normalise,
  salient: (draft, fields) => [
    draft.audit_user ?? '',
    draft.audit_verb ?? '',
    draft.audit_resource ?? '',
    draft.namespace ?? '',
    withoutSuffix(draft.audit_target ?? ''),
    text(fields['ka.req.pod.containers.image']) ?? '',
  ],
};

/** `ka.*` is asked by name: these stand in every upstream rule. */
function hasAuditField(fields: Fields): boolean {
  return fields['ka.verb'] !== undefined || fields['ka.user.name'] !== undefined || fields['ka.uri'] !== undefined;
}

function normalise(fields: Fields, draft: EventDraft): void {
  draft.event_type = text(fields['ka.stage']);
  draft.audit_user = text(fields['ka.user.name']);
  draft.audit_verb = text(fields['ka.verb']);
  const resource = text(fields['ka.target.resource']);
  const subresource = text(fields['ka.target.subresource']);
  draft.audit_resource = resource !== undefined && subresource !== undefined ? `${resource}/${subresource}` : resource;
  draft.audit_target = text(fields['ka.target.name']) ?? text(fields['ka.resp.name']);
  draft.namespace = text(fields['ka.target.namespace']);
  draft.pod = resource === 'pods' ? draft.audit_target : text(fields['ka.target.pod.name']);
  draft.image = text(fields['ka.req.pod.containers.image.repository']);
  draft.user_name = draft.audit_user;
  draft.remote_ip = text(fields['ka.sourceips'])?.split(',', 1)[0];
  draft.command_line = text(fields['ka.uri.param[command]']) ?? text(fields['ka.uri.param_command']);
}

/** Pods of one controller differ in generated endings: `-748bd48fcb-hrj2q`, `-2`. */
function withoutSuffix(name: string): string {
  return name.replace(/(?:-[a-f0-9]{8,10})?-[bcdfghjklmnpqrstvwxz2456789]{5}$|-\d+$/, '-*');
}
