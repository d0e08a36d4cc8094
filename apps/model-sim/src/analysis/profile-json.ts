/** data/profile.json: what the later agents build on. Readable, and written with as much detail as one reply of the model can hold. */
import { Anomalies, DataProfile, Trend } from '@cadre/contracts';
import { z } from 'zod';
import { parseJson } from '../conversation.js';
import type { Study } from './study.js';

export const PROFILE_PATH = 'data/profile.json';

/** A trend as kept: thinned points where there are many, and how many there were. */
const KeptTrend = Trend.extend({ buckets: z.int().optional() });

export const ProfileFile = z.object({
  profiles: z.array(DataProfile).min(1),
  trends: z.array(KeptTrend).default([]),
  anomalies: z.array(Anomalies).default([]),
});
export type ProfileFile = z.infer<typeof ProfileFile>;

/** @returns undefined where the text is not such a file */
export function parseProfile(text: string): ProfileFile | undefined {
  const parsed = ProfileFile.safeParse(parseJson(text));
  return parsed.success ? parsed.data : undefined;
}

interface Detail {
  /** Most points of a trend, frequent values of a column, examples of unusual rows, columns of a table. */
  points: number;
  top: number;
  examples: number;
  columns: number;
}

const DETAILS: readonly Detail[] = [
  { points: 60, top: 5, examples: 3, columns: 500 },
  { points: 24, top: 3, examples: 1, columns: 500 },
  { points: 12, top: 0, examples: 0, columns: 500 },
  { points: 4, top: 0, examples: 0, columns: 60 },
  { points: 2, top: 0, examples: 0, columns: 25 },
];

/** The file's text with all detail, then with ever less. Figures keep 12 digits, those of a trend's points 7. */
export function profileTexts(studies: readonly Study[]): (() => string)[] {
  return DETAILS.map((detail) => () => profileText(studies, detail));
}

function profileText(studies: readonly Study[], { points, top, examples, columns }: Detail): string {
  return write({
    profiles: studies.map(({ profile }) => ({
      ...profile,
      columns: profile.columns.slice(0, columns).map(({ top: values, ...column }) => ({
        ...column,
        ...(values !== undefined && top > 0 && { top: values.slice(0, top) }),
      })),
    })),
    trends: studies
      .flatMap((study) => study.trends)
      .map((trend) => ({ ...trend, buckets: trend.points.length, points: thinned(trend.points, points) })),
    anomalies: studies.flatMap((study) => study.anomalies).map((found) => ({ ...found, rows: found.rows.slice(0, examples) })),
  });
}

/** At most so many points, evenly spread, the first and the last among them. */
function thinned(points: Trend['points'], most: number): Trend['points'] {
  const round = (value: number): number => Number(value.toPrecision(7));
  const kept =
    points.length <= most
      ? points
      : Array.from({ length: most }, (_, index) => points[Math.round((index * (points.length - 1)) / (most - 1))]).filter(
          (point) => point !== undefined,
        );
  return kept.map(({ bucket, rows, mean, min, max }) => ({ bucket, rows, mean: round(mean), min: round(min), max: round(max) }));
}

function write(file: object): string {
  const rounded = (_: string, value: unknown): unknown =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(12)) : value;
  return `${layOut(JSON.parse(JSON.stringify(file, rounded)) as unknown, '')}\n`;
}

/** JSON with short lists and objects on one line. */
function layOut(value: unknown, indent: string): string {
  const flat = JSON.stringify(value);
  if (typeof value !== 'object' || value === null || flat.length + indent.length <= 130) return flat;
  const inner = `${indent}  `;
  if (Array.isArray(value)) return `[\n${value.map((item) => inner + layOut(item, inner)).join(',\n')}\n${indent}]`;
  const fields = Object.entries(value).map(([key, item]) => `${inner}${JSON.stringify(key)}: ${layOut(item, inner)}`);
  return `{\n${fields.join(',\n')}\n${indent}}`;
}
