import { ACCESS, ACCESS_ROLES, aclsOf, TOPIC_NAMES, writersOf } from '@eyrie/schemas';
import { describe, expect, test } from 'vitest';
import { aclCommands } from './acl-commands.ts';

describe('what an authorizer has to allow', () => {
  test('each role as commands of Kafka', () => {
    const lines = aclCommands(aclsOf('gateway', 'eyrie.'), { principal: 'User:gw', bootstrap: 'one:9092,two:9092' });
    const start = 'kafka-acls.sh --bootstrap-server one:9092,two:9092 --add --allow-principal User:gw';
    expect(lines).toContain(`${start} --operation Write --topic eyrie.raw`);
    expect(lines).toContain(`${start} --operation Read --topic eyrie.documents`);
    expect(lines.join('\n')).not.toMatch(/Write --topic eyrie\.(commands|documents|alerts|actions|action-requests)/);
    expect(aclCommands(aclsOf('responder', ''), { principal: 'User:r', bootstrap: 'b:1' })).toContain(
      "kafka-acls.sh --bootstrap-server b:1 --add --allow-principal User:r --operation Describe --operation DescribeConfigs --topic '*'",
    );
  });

  test('a name cannot leave its place in the command', () => {
    const [line] = aclCommands(aclsOf('gateway', 'p.'), { principal: "User:CN=a b'; rm -rf /", bootstrap: 'b:1' });
    expect(line).toContain(`--allow-principal 'User:CN=a b'\\''; rm -rf /' --operation`);
  });

  test('each topic has a writer but the one no role makes yet, and nobody joins the group of another', () => {
    expect(TOPIC_NAMES.filter((topic) => writersOf(topic).length === 0)).toEqual(['images']);
    const groups = ACCESS_ROLES.flatMap((role) => [...ACCESS[role].groups]);
    expect(new Set(groups).size).toBe(groups.length);
  });
});
