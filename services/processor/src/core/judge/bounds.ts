/** Bounds of the judge, for `eyrie_bound_reached_total{bound}`. */
export type Bound =
  | 'judge_targets'
  | 'judge_closed'
  | 'judge_seen'
  | 'judge_entities'
  | 'judge_break_throughs'
  | 'judge_storm';
