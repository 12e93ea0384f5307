/** Reads Retry-After of an endpoint's response (RFC 9110 10.2.3). */

/** Longer is no date and no count of seconds that anybody means. */
const MOST_CHARACTERS = 64;
const SECONDS = /^\d+$/;
/** The three forms of a date that recipients have to take (RFC 9110 5.6.7): IMF-fixdate, RFC 850, asctime. */
const IMF_FIXDATE = /^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const RFC_850 = /^[A-Z][a-z]{5,8}, (\d{2})-([A-Z][a-z]{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const ASCTIME = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MS_PER_S = 1_000;
/** A year of two digits that seems to lie further ahead is one of the past (RFC 9110 5.6.7). */
const MOST_YEARS_AHEAD = 50;
const YEARS_PER_CENTURY = 100;

/** Statuses whose Retry-After says when the endpoint wants to be asked again; with 3xx it is about another address. */
export function asksToWait(status: number): boolean {
  return status === TOO_MANY_REQUESTS || status === SERVICE_UNAVAILABLE;
}
const TOO_MANY_REQUESTS = 429;
const SERVICE_UNAVAILABLE = 503;

/**
 * Pure.
 *
 * @param value  of the field: seconds, or an HTTP date
 * @param wallMs now, in ms since 1970
 * @returns seconds from now, >= 0, rounded up, not bounded; 0 also for what is neither, and for a date that has passed
 */
export function retryAfterSeconds(value: string, wallMs: number): number {
  if (value.length > MOST_CHARACTERS) return 0;
  const text = value.trim();
  if (SECONDS.test(text)) return Number(text);
  const atMs = dateMs(text, wallMs);
  return Number.isNaN(atMs) ? 0 : Math.max(0, Math.ceil((atMs - wallMs) / MS_PER_S));
}

/** @returns ms since 1970, or NaN for what is no date */
function dateMs(text: string, wallMs: number): number {
  const imf = IMF_FIXDATE.exec(text);
  if (imf !== null) return utcMs(Number(imf[3]), imf[2], imf[1], imf[4], imf[5], imf[6]);
  const old = RFC_850.exec(text);
  if (old !== null) return utcMs(yearOf(Number(old[3]), wallMs), old[2], old[1], old[4], old[5], old[6]);
  const asctime = ASCTIME.exec(text);
  if (asctime === null) return Number.NaN;
  return utcMs(Number(asctime[6]), asctime[1], asctime[2], asctime[3], asctime[4], asctime[5]);
}

/** @param ofCentury 0 to 99 */
function yearOf(ofCentury: number, wallMs: number): number {
  const thisYear = new Date(wallMs).getUTCFullYear();
  const year = thisYear - (thisYear % YEARS_PER_CENTURY) + ofCentury;
  return year > thisYear + MOST_YEARS_AHEAD ? year - YEARS_PER_CENTURY : year;
}

function utcMs(
  year: number,
  monthName: string | undefined,
  day: string | undefined,
  hour: string | undefined,
  minute: string | undefined,
  second: string | undefined,
): number {
  const month = MONTHS.indexOf(monthName ?? '');
  const isClockTime = Number(hour) < 24 && Number(minute) < 60 && Number(second) <= 60; // 60: a leap second
  if (month < 0 || !isClockTime || Number(day) < 1) return Number.NaN;
  const ms = Date.UTC(year, month, Number(day), Number(hour), Number(minute), Number(second));
  // A day that its month does not have runs over into the next.
  return new Date(Date.UTC(year, month, Number(day))).getUTCMonth() === month ? ms : Number.NaN;
}
