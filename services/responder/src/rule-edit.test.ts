import { expect, it } from 'vitest';
import { setEnforce } from './rule-edit.ts';

const FILE = `# Ours.
version: 1
rules:
  - rule: First   # stays
    id: first
    mode: dry_run
  - rule: Shell
    id: shell # stable
    mode:   dry_run   # for now
    match: { rules: [A] }   # odd   spacing stays
    tests:
      - name: acts
        given: { event: { rule: A } }
        expect: { decision: simulated, reason: dry_run }   # so far
      - name: leaves
        given: { event: { rule: simulated } }
        expect:
          decision: no_match
          reason: rules
`;

function edited(text: string, id = 'shell') {
  const found = setEnforce(text, id);
  if ('problem' in found) throw new Error(found.problem);
  return found;
}

it('changes the mode and what tests expect, and no other byte', () => {
  const { text, changes } = edited(FILE);
  expect(text).toBe(
    FILE.replace('mode:   dry_run   #', 'mode:   enforce   #').replace(
      '{ decision: simulated, reason: dry_run }',
      '{ decision: executing, reason: queued }',
    ),
  );
  expect(changes).toEqual([
    { line: 9, before: '    mode:   dry_run   # for now', after: ['    mode:   enforce   # for now'] },
    {
      line: 14,
      before: '        expect: { decision: simulated, reason: dry_run }   # so far',
      after: ['        expect: { decision: executing, reason: queued }   # so far'],
    },
  ]);
});

it('writes the mode where none stands: behind the id and its comment, in a flow map, in JSON', () => {
  const block = 'version: 1\nrules:\n  - id: shell # stable\n    rule: Shell\n';
  expect(edited(block)).toEqual({
    text: 'version: 1\nrules:\n  - id: shell # stable\n    mode: enforce\n    rule: Shell\n',
    changes: [{ line: 3, before: '  - id: shell # stable', after: ['  - id: shell # stable', '    mode: enforce'] }],
  });
  expect(edited('rules: [{id: shell, rule: Shell}]').text).toBe('rules: [{id: shell, mode: enforce, rule: Shell}]');
  expect(edited('{"rules":[{"id":"shell","rule":"x"}]}').text).toBe(
    '{"rules":[{"id":"shell", "mode": "enforce","rule":"x"}]}',
  );
  expect(edited('rules:\n  - rule: x\n    id: shell').text).toBe(
    'rules:\n  - rule: x\n    id: shell\n    mode: enforce',
  );
  expect(edited('rules:\r\n  - id: shell\r\n    rule: x\r\n').text).toBe(
    'rules:\r\n  - id: shell\r\n    mode: enforce\r\n    rule: x\r\n',
  );
});

it.each([
  ['an anchor that another rule uses', 'rules:\n  - id: shell\n    mode: &m dry_run\n  - id: b\n    mode: *m\n'],
  ['a rule that stands elsewhere', 'x: &r {id: shell, mode: dry_run}\nrules:\n  - *r\n'],
  ['a rule that is not there', 'rules:\n  - id: other\n'],
  ['a mode without a word', 'rules:\n  - id: shell\n    mode:\n'],
])('leaves to a person %s', (_, text) => {
  expect(setEnforce(text, 'shell')).toHaveProperty('problem');
});
