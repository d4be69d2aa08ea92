/**
 * Hides secrets of known shapes in text that leaves us: chat, web hooks, pages, exports. Linear in the text: every
 * pattern starts at a literal and runs over one class of characters, without nested repetition.
 */
const MASK = '[masked]';

interface Shape {
  /** At least one of these stands in any text the pattern can match (lower case); a text without is not searched. */
  readonly needles: readonly string[];
  readonly pattern: RegExp;
  readonly replace: string | ((match: string, ...groups: string[]) => string);
}

const WORD =
  'pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|apikey|access[_-]?key|secret[_-]?key|private[_-]?key|client[_-]?secret|auth[_-]?token|sas[_-]?token|account[_-]?key|connection[_-]?string';
const WORD_NEEDLES = [
  ...['pass', 'pwd', 'secret', 'token', 'apikey', 'api_key', 'api-key', 'access_key', 'access-key', 'accesskey'],
  ...['private_key', 'private-key', 'privatekey', 'account_key', 'account-key', 'accountkey'],
  ...['connection_string', 'connection-string', 'connectionstring'],
];
const VALUE = `\\\\{1,4}"[^"\\\\\\n]*|"(?:[^"\\\\\\n]|\\\\.)*"?|'[^'\\n]*'?|[^\\s"'&;,)}\\]]+`;

const SHAPES: readonly Shape[] = [
  {
    needles: ['-----begin'],
    pattern: /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}-----|$)/g,
    replace: MASK,
  },
  {
    // scheme://user:password@host; the user may be the token itself.
    needles: ['://'],
    pattern: /(:\/\/)([^\s/?#@"'<>]{1,512})@/g,
    replace: (match, _slashes, user) => {
      const colon = user.indexOf(':');
      if (colon >= 0) return `://${user.slice(0, colon)}:${MASK}@`;
      return user.length >= 16 ? `://${MASK}@` : match;
    },
  },
  {
    needles: ['authorization'],
    pattern:
      /((?:proxy-)?authorization\\{0,4}["']?\s{0,4}[:=]\s{0,4}\\{0,4}["']?)(?:(basic|bearer|token|digest|negotiate|aws4-hmac-sha256)\s{1,4})?[^\s"']{1,4096}/gi,
    replace: (_match, head, scheme: string | undefined) => `${head}${scheme === undefined ? '' : `${scheme} `}${MASK}`,
  },
  { needles: ['bearer '], pattern: /(\bbearer\s{1,4})[A-Za-z0-9._~+/=-]{8,}/gi, replace: `$1${MASK}` },
  {
    needles: ['token', 'key', 'secret'],
    pattern:
      /(\b(?:x-[a-z-]{0,40}(?:token|key|secret)|private-token|job-token|deploy-token)["']?\s{0,4}:\s{0,4}["']?)[^\s"']+/gi,
    replace: `$1${MASK}`,
  },
  // curl -u user:password, sshpass -p password, mysql -ppassword, redis-cli -a password
  {
    needles: [' -u', '--user', '--proxy-user'],
    pattern: /((?:^|\s)(?:-u|--user|--proxy-user|-U)[\s=]{0,4}["']?[^\s:"']{1,128}:)(?!\/\/)[^\s"']+/g,
    replace: `$1${MASK}`,
  },
  {
    needles: [
      'sshpass',
      'mysql',
      'mariadb',
      'redis-cli',
      'mongo',
      'docker login',
      'helm',
      'ldap',
      'sqlcmd',
      'htpasswd',
    ],
    pattern:
      /(\b(?:sshpass|mysql\w{0,10}|mariadb\w{0,10}|redis-cli|mongo\w{0,10}|docker login|helm|ldap\w{0,10}|sqlcmd)\b[^\n;|]{0,200}?\s-[paPwA])(\s{0,2})(?!\s|-)("[^"\n]*"?|'[^'\n]*'?|[^\s"']+)/g,
    replace: (_match, head, space) => `${head}${space}${MASK}`,
  },
  // --password=x, --token x, -password x, password: x, PGPASSWORD=x, "client_secret": "x"
  {
    needles: WORD_NEEDLES,
    pattern: new RegExp(`((?<![\\w/.-])--?[a-z0-9-]{0,40}(?:${WORD})\\b(?:=|\\s{1,4}))(?!-)(${VALUE})`, 'gi'),
    replace: (match, head, value) => (isHarmless(value) ? match : `${head}${MASK}`),
  },
  {
    needles: WORD_NEEDLES,
    pattern: new RegExp(
      `((?:${WORD})\\\\{0,4}["']?(?:=|\\s{0,2}:=\\s{0,2}|:\\s{0,2}|\\s=>?\\s))(?!\\/\\/)(${VALUE})`,
      'gi',
    ),
    replace: (match, head, value) => (isHarmless(value) ? match : `${head}${MASK}`),
  },
  { needles: ['eyrie_'], pattern: /\beyrie_[A-Za-z0-9_-]{32,}/g, replace: MASK },
  {
    needles: ['akia', 'asia', 'abia', 'acca'],
    pattern: /\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b/g,
    replace: MASK,
  },
  {
    needles: ['aws_', 'awssecret', 'session_token'],
    pattern: /(\baws_?(?:secret|session)[a-z_]{0,30}["']?\s{0,4}[:=]\s{0,4}["']?)[^\s"']+/gi,
    replace: `$1${MASK}`,
  },
  { needles: ['aiza'], pattern: /\bAIza[A-Za-z0-9_-]{35}/g, replace: MASK },
  { needles: ['ya29.', '1//0'], pattern: /\b(?:ya29\.[A-Za-z0-9_-]{10,}|1\/\/0[A-Za-z0-9_-]{20,})/g, replace: MASK },
  { needles: ['gocspx-'], pattern: /\bGOCSPX-[A-Za-z0-9_-]{20,}/g, replace: MASK },
  {
    needles: ['accountkey=', 'sharedaccesskey=', 'sig='],
    pattern: /(\b(?:AccountKey|SharedAccessKey|sig)=)[A-Za-z0-9+/%=_-]{16,}/gi,
    replace: `$1${MASK}`,
  },
  // Azure client secrets: three characters, a digit, Q~, then 31 to 34 more.
  {
    needles: Array.from('0123456789', (digit) => `${digit}q~`),
    pattern: /[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}/g,
    replace: MASK,
  },
  {
    needles: ['glpat-', 'gldt-', 'glrt-', 'glcbt-', 'glptt-', 'glft-', 'glsoat-', 'glagent-', 'gloas-', 'glimt-'],
    pattern: /\bgl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|oas|imt)-[A-Za-z0-9_.-]{16,}/g,
    replace: MASK,
  },
  {
    needles: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'],
    pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})/g,
    replace: MASK,
  },
  {
    needles: ['xox', 'xapp-', 'hooks.slack.com'],
    pattern: /\bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{8,}|\bxapp-[A-Za-z0-9-]{10,}/g,
    replace: MASK,
  },
  {
    needles: ['hooks.slack.com'],
    pattern: /(hooks\.slack\.com\/(?:services|workflows|triggers)\/)[A-Za-z0-9/_-]+/g,
    replace: `$1${MASK}`,
  },
  { needles: ['eyj'], pattern: /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?/g, replace: MASK },
  {
    needles: ['npm_', 'pypi-', 'dckr_pat_', 'hvs.', 'sk_live_', 'rk_live_', 'whsec_', 'sk-', 'sg.'],
    pattern:
      /\b(?:npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{30,}|dckr_pat_[A-Za-z0-9_-]{20,}|hvs\.[A-Za-z0-9_-]{20,}|[sr]k_live_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{24,}|sk-[A-Za-z0-9_-]{32,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,})/g,
    replace: MASK,
  },
];

/** Words after `password=` and the like that say there is no secret. */
const HARMLESS = new Set(['', 'true', 'false', 'null', 'none', '<na>', 'yes', 'no', '*', '***', '""', "''"]);

function isHarmless(value: string): boolean {
  const bare = value.replace(/^["']|["']$/g, '');
  return (
    HARMLESS.has(bare.toLowerCase()) ||
    bare.startsWith('[masked') ||
    /^\d{1,3}$/.test(bare) ||
    bare.startsWith('/') ||
    /^\$[{(A-Za-z_]/.test(bare) ||
    /^<[^>]*>?$/.test(bare)
  );
}

/** Which three letters stand in a text, by hash: tells in one pass which shapes cannot be there. */
const TRIPLES = 1 << 15;
const seenTriples = new Uint8Array(TRIPLES);
let round = 0;

/** Upper and lower case count as one. */
function tripleOf(a: number, b: number, c: number): number {
  return (((a | 32) << 10) ^ ((b | 32) << 5) ^ (c | 32)) & (TRIPLES - 1);
}

const NEEDLES = SHAPES.map(({ needles }) =>
  needles.map((needle) => ({
    needle,
    triples: Array.from({ length: needle.length - 2 }, (_, i) =>
      tripleOf(needle.charCodeAt(i), needle.charCodeAt(i + 1), needle.charCodeAt(i + 2)),
    ),
  })),
);

function noteTriples(text: string): void {
  round = (round + 1) & 255;
  if (round === 0) {
    seenTriples.fill(0);
    round = 1;
  }
  // As if a space stood before it.
  let a = 32;
  let b = 32;
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    seenTriples[tripleOf(a, b, c)] = round;
    a = b;
    b = c;
  }
}

export function maskSecrets(text: string): string {
  noteTriples(text);
  let lower: string | undefined;
  let masked = text;
  for (const [index, { pattern, replace }] of SHAPES.entries()) {
    for (const { needle, triples } of NEEDLES[index] ?? []) {
      if (!triples.every((triple) => seenTriples[triple] === round)) continue;
      lower ??= ` ${text.toLowerCase()}`;
      if (!lower.includes(needle)) continue;
      masked = typeof replace === 'string' ? masked.replace(pattern, replace) : masked.replace(pattern, replace);
      break;
    }
  }
  return masked;
}

const SECRET_NAME = new RegExp(`(?:${WORD})$`, 'i');

/** The value of a named field: hidden whole where its name says what it is. */
export function maskField(name: string, value: string): string {
  return SECRET_NAME.test(name) && !isHarmless(value) ? MASK : maskSecrets(value);
}
