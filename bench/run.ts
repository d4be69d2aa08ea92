/** Every benchmark, one after the other: one JSON line each. `node bench/run.ts [name…]` runs some of them. */
import { spawnSync } from 'node:child_process';

const BENCHMARKS: Record<string, readonly string[]> = {
  pure: ['bench/pure.ts'],
  intake: ['bench/intake.ts'],
  bus: ['bench/bus.ts'],
  compression: ['bench/compression.ts'],
  restore: ['bench/restore.ts'],
  rebalance: ['bench/rebalance.ts'],
  rules: ['bench/rules.ts'],
  archiver: ['bench/archiver.ts'],
  'topic-input': ['bench/topic-input.ts'],
  latency: ['bench/latency.ts'],
  kafka: ['bench/kafka.ts'],
  'end-to-end': ['bench/end-to-end.ts'],
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are ${Object.keys(BENCHMARKS).join(', ')}`);
  process.exit(2);
}
let failed = 0;
for (const [name, args] of Object.entries(BENCHMARKS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  if (spawnSync(process.execPath, args, { stdio: 'inherit' }).status !== 0) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
