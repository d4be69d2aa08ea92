import type { Judgement } from './judged.ts';
import { OUTCOME_REASONS } from './outcome.ts';

const IDENTITY_KINDS: ReadonlySet<string> = new Set(['string', 'number', 'boolean']);

/** Whether what was read from a topic is a judgement, as far as those who read it lean on it. */
export function isJudgement(value: unknown): value is Judgement {
  if (typeof value !== 'object' || value === null) return false;
  const {
    outcome,
    reason,
    alert_id: id,
    alert_version: version,
    fingerprint,
    identity,
    fp_score: score,
    documents_version: documents,
    model,
    judged_at: at,
  } = value as Readonly<Record<string, unknown>>;
  return (
    typeof outcome === 'string' &&
    Object.hasOwn(OUTCOME_REASONS, outcome) &&
    typeof reason === 'string' &&
    (id === undefined || typeof id === 'string') &&
    (version === undefined || Number.isSafeInteger(version)) &&
    (fingerprint === undefined || typeof fingerprint === 'string') &&
    (identity === undefined || isIdentity(identity)) &&
    (score === undefined || Number.isFinite(score)) &&
    Number.isSafeInteger(documents) &&
    typeof model === 'string' &&
    Number.isSafeInteger(at)
  );
}

function isIdentity(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((item) => item === undefined || IDENTITY_KINDS.has(typeof item))
  );
}
