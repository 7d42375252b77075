import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isoWeek, openCalendar } from '../../../controller/core/data/calendar.ts';
import { parseDuration, parseSpan, renderDuration } from '../../../controller/core/data/durations.ts';
import { KeeperError } from '../../../controller/errors.ts';

const ZONES = [
  ...['UTC', 'Europe/Berlin', 'America/New_York', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kathmandu'],
  // Skipped a day in 2011; has no summer in the month of fasting; changed by 10 hours and more in living memory.
  ...['Pacific/Apia', 'Africa/Casablanca', 'Pacific/Kiritimati', 'America/Scoresbysund'],
];
const DAY = 86_400_000;

test('the wall clock is that of the zone at every moment', () => {
  const clocks = ZONES.map((timeZone) => ({
    calendar: openCalendar(timeZone),
    oracle: new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }),
  }));
  const from = Date.parse('1990-01-01T00:00:00Z');
  fc.assert(
    fc.property(
      fc.constantFrom(...clocks),
      fc.integer({ min: 0, max: 50 * 365 * 1440 }),
      ({ calendar, oracle }, minutes) => {
        const time = from + minutes * 60_000;
        const { year, month, day, hour } = calendar.at(time);
        const two = (part: number) => String(part).padStart(2, '0');
        assert.ok(oracle.format(time).startsWith(`${year}-${two(month)}-${two(day)} ${two(hour)}:`));
      },
    ),
    { numRuns: 2000 },
  );
});

test('a span goes back by the wall clock, over days of 23 and 25 hours', () => {
  const berlin = openCalendar('Europe/Berlin');
  const back = (from: string, span: string) => {
    const parsed = parseSpan(span);
    assert.ok(parsed);
    return new Date(berlin.before(Date.parse(from), parsed)).toISOString().slice(0, 16);
  };
  assert.equal(back('2026-03-29T10:00:00Z', '1d'), '2026-03-28T11:00');
  assert.equal(back('2026-03-29T10:00:00Z', '24h'), '2026-03-28T10:00');
  assert.equal(back('2026-10-25T11:00:00Z', '1d'), '2026-10-24T10:00');
  // 02:30 was not there on 29 March, and was there twice on 25 October.
  assert.equal(back('2026-03-30T00:30:00Z', '1d'), '2026-03-29T01:30');
  assert.equal(back('2026-10-26T01:30:00Z', '1d'), '2026-10-25T01:30');
  assert.equal(back('2026-05-31T12:00:00Z', '1m'), '2026-05-01T12:00', 'the 31st of April is the 1st of May');
  assert.equal(back('2026-11-20T00:00:00Z', '1y2m3d4h'), '2025-09-16T19:00');
  assert.equal(back('2026-11-20T00:00:00Z', '2w'), '2026-11-06T00:00');
});

test('weeks begin on Monday, also before 1970 and over new year', () => {
  const { at } = openCalendar('UTC');
  const week = (day: string) => isoWeek(at(Date.parse(`${day}T12:00:00Z`)));
  assert.equal(week('2026-11-16'), week('2026-11-22'));
  assert.notEqual(week('2026-11-15'), week('2026-11-16'));
  assert.equal(week('2026-12-31'), week('2027-01-03'));
  assert.equal(week('1969-12-29'), week('1970-01-04'));
  fc.assert(
    fc.property(fc.integer({ min: -20_000, max: 40_000 }), (day) => {
      const monday = isoWeek(at(day * DAY));
      assert.equal(new Date(monday * DAY).getUTCDay(), 1);
      assert.ok(monday <= day && day < monday + 7);
    }),
  );
});

test('a zone that is not known is refused', () => {
  assert.throws(
    () => openCalendar('Mars/Olympus'),
    (error) => error instanceof KeeperError && error.code === 'USAGE_INVALID',
  );
});

test('times are read as Go writes them, spans as restic does', () => {
  const times = ['0s', '500ms', '90s', '1h30m', '1.5h', '720h', '30d'].map(parseDuration);
  assert.deepEqual(times, [0, 500, 90_000, 5_400_000, 5_400_000, 2_592_000_000, 2_592_000_000]);
  for (const text of ['', '5', '5 s', '-5s', 'h', '1w', '1h30']) assert.equal(parseDuration(text), undefined, text);
  assert.deepEqual(parseSpan('1y6m2w1d12h'), { years: 1, months: 6, days: 15, ms: 43_200_000 });
  for (const text of ['', '5', '5s', '1.5d', '1d 2h']) assert.equal(parseSpan(text), undefined, text);
});

test('people read rounded times', () => {
  const told = [0, 250, 1000, 89_000, 90_000, 14 * 60_000, 3 * 3_600_000, 5 * DAY].map(renderDuration);
  assert.deepEqual(told, ['0 ms', '250 ms', '1 s', '89 s', '2 min', '14 min', '3 h', '5 days']);
});
