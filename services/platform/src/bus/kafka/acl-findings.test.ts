import { ACCESS_ROLES, GUARDED_TOPICS } from '@eyrie/schemas';
import { describe, expect, test } from 'vitest';
import { type Binding, type Bindings, compareAccess, type Principals, writersTo } from './acl-findings.ts';
import { Names } from './names.ts';

const binding = (name: string, principal: string, more: Partial<Binding> = {}): Binding => ({
  name,
  isPrefix: false,
  principal,
  isWrite: true,
  isAllow: true,
  ...more,
});
const PREFIX = { isPrefix: true };
const DENY = { isAllow: false };

describe('who may write to a topic', () => {
  test.for<[string, Bindings, readonly string[]]>([
    ['everybody without an authorizer', undefined, ['everybody']],
    ['a topic without any rule is told as such', [], ['without any rule']],
    [
      'a rule of another topic says nothing',
      [binding('p.xy', 'User:a'), binding('p.y', 'User:b', PREFIX)],
      ['without any rule'],
    ],
    [
      'by its name, by what it begins with, by a star',
      [binding('p.x', 'User:a'), binding('p.', 'User:b', PREFIX), binding('*', 'User:c'), binding('p.', 'User:d')],
      ['User:a', 'User:b', 'User:c'],
    ],
    ['not who may only read', [binding('p.x', 'User:a', { isWrite: false })], []],
    ['not who is denied', [binding('p.x', 'User:a'), binding('*', 'User:a', DENY)], []],
    ['nobody where everybody is denied', [binding('p.x', 'User:a'), binding('p.x', 'User:*', DENY)], []],
    [
      'a denied reader may still write',
      [binding('p.x', 'User:a'), binding('p.x', 'User:a', { ...DENY, isWrite: false })],
      ['User:a'],
    ],
  ])('%s', ([, found, writers]) => {
    expect(writersTo('p.x', found)).toEqual(writers);
  });
});

describe('who may make Eyrie act', () => {
  const principals = Object.fromEntries(ACCESS_ROLES.map((role) => [role, `User:${role}`])) as Principals;
  const wanted = { names: new Names('p.'), bootstrap: 'one:9092', principals };
  const OWN = [
    binding('p.commands', 'User:console'),
    binding('p.documents', 'User:console'),
    binding('p.alerts', 'User:processor'),
    binding('p.action-requests', 'User:responder'),
    binding('p.actions', 'User:responder'),
  ];

  test('the guarded topics are those whose records are signed', () => {
    expect([...GUARDED_TOPICS].sort()).toEqual(['action-requests', 'actions', 'alerts', 'commands', 'documents']);
  });

  test('the roles themselves are no finding', () => {
    expect(compareAccess(OWN, wanted)).toEqual([]);
  });

  test('a role that has no business there is one: intake is where strangers speak', () => {
    expect(compareAccess([...OWN, binding('p.commands', 'User:gateway')], wanted)).toEqual([
      expect.objectContaining({
        topic: 'p.commands',
        setting: 'ACL Write',
        found: 'User:gateway',
        wanted: 'User:console',
      }),
    ]);
  });

  test('a stranger by a rule over everything is told for each topic', () => {
    const findings = compareAccess([...OWN, binding('*', 'User:stranger')], wanted);
    expect(findings.map(({ topic }) => topic)).toEqual(GUARDED_TOPICS.map((topic) => `p.${topic}`));
  });

  test('without an authorizer everybody may write everywhere', () => {
    expect(compareAccess(undefined, wanted)).toHaveLength(GUARDED_TOPICS.length);
  });
});
