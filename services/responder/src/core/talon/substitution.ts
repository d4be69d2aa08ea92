import type { Parameters } from './blocks.ts';
import type { Notes } from './notes.ts';
import type { Specs } from './parameters.ts';

/** What `os.ExpandEnv` replaces: `$NAME`, `${NAME}`, `$1`, `$$`; `$(command)` stays. */
const SUBSTITUTION = /\$(?:\{[^}]*\}?|[A-Za-z_][A-Za-z0-9_]*|[0-9*#$@!?-])/;

/** Talon puts the event's text into the command before a shell reads it: whoever names a file writes the command. */
export function refuseSubstitution(parameters: Parameters, specs: Specs, notes: Notes): void {
  for (const [key, { place, value }] of parameters) {
    if (value.kind !== 'scalar' || !Object.hasOwn(specs, key) || specs[key]?.takesEvent !== true) continue;
    const [found] = SUBSTITUTION.exec(value.text) ?? [];
    if (found === undefined) continue;
    const message = `${found} would be replaced by text of the event, which attackers write: an injection into ${key}. Use shell:script, whose program reads the event as JSON on standard input`;
    notes.refuse(place, message);
  }
}
