/** Table functions that make rows out of nothing; all others reach outside the database. */
const TABLE_FUNCTIONS = new Set(['numbers', 'zeros', 'values', 'generateseries', 'generate_series']);

/** Functions that read files, dictionaries, settings or the machine, call out, write logs, or only burn time. */
const FUNCTIONS =
  /^(file|ai\w*|dict\w*|region\w*|joinget\w*|catboostevaluate|evalmlmethod|naivebayes\w*|get(setting|settingordefault|serversetting|mergetreesetting|macro|serverport|clienthttpheader|oskernelversion)|showcertificate|globalvariable|hascolumnintable|filesystem\w*|zookeeper\w*|sleep\w*|addresstoline\w*|addresstosymbol|demangle|logtrace|tid|fqdn|fullhostname|hostname|tcpport|serveruuid|buildid|uptime|transaction\w*|fuzzquery|generaterandomstructure|generateserialid|timeseriesstoretags|hasthreadfuzzer|icebergbucket|__\w+|mergetreepartinfo|ismergetreepartcoveredby|initializeaggregation|eval\w*|executable\w*|url\w*|remote\w*|s3\w*)$/i;

/** Kinds of nodes a plain SELECT is made of. `* APPLY(file)` and whatever comes next is not among them. */
const NODES = new Set([
  'SelectWithUnionQuery',
  'SelectIntersectExceptQuery',
  'SelectQuery',
  'ExpressionList',
  'Identifier',
  'TableIdentifier',
  'Function',
  'Literal',
  'Subquery',
  'Asterisk',
  'QualifiedAsterisk',
  'TablesInSelectQuery',
  'TablesInSelectQueryElement',
  'TableExpression',
  'TableJoin',
  'ArrayJoin',
  'OrderByElement',
  'WithElement',
  'WindowDefinition',
  'WindowListElement',
  'InterpolateElement',
]);

/**
 * Judges the syntax tree (lines of `EXPLAIN AST`) of one statement: a plain SELECT over the database `eyrie`, or why not.
 * The session is read-only besides; this closes what ClickHouse allows read-only users.
 */
export function findRefusal(tree: readonly string[]): string | undefined {
  const root = tree[0] ?? '';
  if (!/^SelectWithUnionQuery\b/.test(root)) return 'only SELECT is allowed';
  let inTable = -1;
  for (const line of tree) {
    const depth = line.length - line.trimStart().length;
    const text = line.trimStart();
    const [word = '', name = ''] = text.split(' ');
    // Direct children of the statement besides its list of SELECTs: INTO OUTFILE, FORMAT, SETTINGS.
    if (depth === 1 && word !== 'ExpressionList') return 'INTO OUTFILE, FORMAT and SETTINGS are not allowed';
    if (word === 'Set') return 'SETTINGS are not allowed';
    // A table expression ends where the tree comes back to its depth.
    if (word === 'TableExpression') inTable = depth;
    else if (depth <= inTable) inTable = -1;
    if (!NODES.has(word)) return `${word || 'this'} is not allowed in a SELECT`;
    if (word === 'TableIdentifier' && name.includes('.') && !name.startsWith('eyrie.')) {
      return `only the database eyrie is readable, not ${name}`;
    } else if (word === 'Identifier' && /^(system|information_schema|default|_\w+)\./i.test(name)) {
      return `only the database eyrie is readable, not ${name}`;
    } else if (word === 'Function') {
      if (inTable >= 0 && depth === inTable + 1) {
        if (!TABLE_FUNCTIONS.has(name.toLowerCase())) return `table function ${name} is not allowed`;
      } else if (FUNCTIONS.test(name)) return `function ${name} is not allowed`;
    }
  }
  return undefined;
}
