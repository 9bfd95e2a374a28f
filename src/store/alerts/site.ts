/** Second-level names under which countries register others: co.uk, com.au, … */
const SHARED_LABELS = /^(ac|co|com|edu|gov|net|or|org|ne|go)$/;

/**
 * The site that a name belongs to: its last two labels, or three where the last but one is a shared one. It is a guess; the list of
 * public suffixes is longer than all of flowberry, and changes every week.
 */
export function siteOf(name: string): string {
  const labels = name.split('.');
  if (labels.length <= 2) return name;
  const isShared = (labels.at(-1) as string).length === 2 && SHARED_LABELS.test(labels.at(-2) as string);
  return labels.slice(isShared ? -3 : -2).join('.');
}
