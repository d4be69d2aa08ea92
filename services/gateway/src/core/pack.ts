import { LIMITS, type RawSection } from '@eyrie/schemas';

/** Groups sections, in order, so that each group makes one frame of about `LIMITS.frameBytes`. */
export function groupSections(sections: readonly RawSection[]): readonly (readonly RawSection[])[] {
  const groups: RawSection[][] = [];
  let current: RawSection[] = [];
  let bytes = 0;
  for (const section of sections) {
    if (current.length > 0 && bytes + section.block.length > LIMITS.frameBytes) {
      groups.push(current);
      current = [];
      bytes = 0;
    }
    current.push(section);
    bytes += section.block.length;
  }
  if (current.length > 0) groups.push(current);
  return groups;
}
