/** What Kafka or TLS refuses a client for, told as what to do about it. No text of the other side gets in: see `errors.ts`. */

/** What a request asks leave for; of each kind that applies: operation and names. */
export interface Needs {
  /** Who the brokers take this process for. */
  readonly principal: string;
  readonly topic?: Need;
  readonly group?: Need;
  readonly transactionalId?: Need;
}

type Need = readonly [operation: string, ...names: readonly string[]];

const KINDS = {
  TOPIC_AUTHORIZATION_FAILED: ['topic', 'topic'],
  /** Another topic of the same transaction was refused. */
  OPERATION_NOT_ATTEMPTED: ['topic', 'topic'],
  GROUP_AUTHORIZATION_FAILED: ['group', 'group'],
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: ['transactionalId', 'transactional id'],
  /** Of a producer that has Write on no topic at all: with it comes IdempotentWrite. */
  CLUSTER_AUTHORIZATION_FAILED: ['topic', 'topic'],
} as const;

/** The ACL that is missing; undefined for an error of another kind. */
export function describeMissingAcl(type: string, needs: Needs | undefined): string | undefined {
  if (!(type in KINDS)) return undefined;
  const [kind, word] = KINDS[type as keyof typeof KINDS];
  const need = needs?.[kind];
  if (needs === undefined || need === undefined) return `${type}: an ACL on a ${word} is missing`;
  const [operation, ...names] = need;
  const which = names.length > 1 ? `one of the ${word}s ${names.join(', ')}` : [word, ...names].join(' ');
  return `${needs.principal} lacks the ACL ${operation} on ${which} (${type}). \`eyrie topics acls\` prints what each role needs`;
}

const USER =
  'the brokers do not accept this user or password: check EYRIE_KAFKA_SASL_USERNAME and EYRIE_KAFKA_SASL_PASSWORD';
const MECHANISM =
  'the listener does not offer this SASL mechanism: set EYRIE_KAFKA_SASL_MECHANISM, or use the port of a listener that does';
const AUTHORITY =
  "the broker's certificate comes from an authority that is not trusted here: give it in EYRIE_KAFKA_TLS_CA_FILE";
/** Java says "bad certificate" of one that was not sent, too. */
const CLIENT =
  'the broker accepts no client without a certificate it trusts: set EYRIE_KAFKA_TLS_CERT_FILE and EYRIE_KAFKA_TLS_KEY_FILE, ' +
  'or renew what they name (expired, or from an authority the broker does not know)';

/** By the code of Node or OpenSSL; first match. */
const TLS: readonly (readonly [pattern: RegExp, help: string])[] = [
  [/^CERT_HAS_EXPIRED$/, "the broker's certificate has expired: renew it there"],
  [/^CERT_NOT_YET_VALID$/, "the broker's certificate is not valid yet: check the clocks"],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, "the broker's certificate is not for this name: name the brokers as it does"],
  [/SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|CERT_UNTRUSTED|INVALID_CA/, AUTHORITY],
  [/ALERT_.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE)/, CLIENT],
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH|UNEXPECTED_MESSAGE|^EPROTO$/,
    'the listener speaks no TLS: unset EYRIE_KAFKA_TLS, or use the port of its TLS listener',
  ],
];

/** @returns undefined where it was not TLS that failed */
export function describeTls(code: string): string | undefined {
  return TLS.find(([pattern]) => pattern.test(code))?.[1];
}

export function describeSasl(message: string): string {
  return /mechanism is not supported|UNSUPPORTED_SASL_MECHANISM/.test(message) ? MECHANISM : USER;
}
