import type { Acl } from '@eyrie/schemas';

/** The commands of Kafka that allow a principal what a role needs, safe for a shell. */
export function aclCommands(
  acls: readonly Acl[],
  { principal, bootstrap }: { readonly principal: string; readonly bootstrap: string },
): readonly string[] {
  return acls.map(({ resource, name, pattern, operations }) => {
    const what = resource === 'cluster' ? ['--cluster'] : [`--${resource}`, quoted(name)];
    return [
      'kafka-acls.sh --bootstrap-server',
      quoted(bootstrap),
      '--add --allow-principal',
      quoted(principal),
      ...operations.map((operation) => `--operation ${operation}`),
      ...what,
      ...(pattern === 'prefixed' ? ['--resource-pattern-type prefixed'] : []),
    ].join(' ');
  });
}

function quoted(text: string): string {
  return /^[\w:.,=/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
