const YEAR_S = 365.25 * 86_400;
const TERABYTE = 1e12;
/** From less, no rate can be told. */
const SECONDS_MIN = 600;

/**
 * Years until a card that takes `terabytes` is worn out, when so many bytes go to it in so many seconds all the time. An estimate: a card
 * writes more than it is given, by a factor that nobody outside knows. Null when too little is known.
 */
export function enduranceYears(terabytes: number, bytes: number | null, seconds: number): number | null {
  if (bytes === null || bytes <= 0 || seconds < SECONDS_MIN) return null;
  return (terabytes * TERABYTE * seconds) / bytes / YEAR_S;
}
