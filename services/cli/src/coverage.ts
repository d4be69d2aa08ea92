export interface Coverage {
  /** Null where no node ever gave proof of life. */
  readonly share: number | null;
  readonly refused_requests: number;
  readonly lost_records: number;
}

/** The watched share, and what was refused or lost beside it: events nobody saw although their nodes were watched. */
export function coverageText({ share, refused_requests: refused, lost_records: lost }: Coverage, none: string): string {
  return [
    share === null ? none : `${(share * 100).toFixed(1)} % of node-minutes watched`,
    ...(refused > 0 ? [`${refused} requests refused`] : []),
    ...(lost > 0 ? [`${lost} records lost`] : []),
  ].join(', ');
}
